import pytest

from relume.train.health import LARGEST_DRIFT, LARGEST_GRADIENT, LARGEST_MARGIN, SMALLEST_MARGIN, warnings_for

HEALTHY = {
    "loss": 0.2,
    "grad_norm": 1.0,
    "d/margin": 1.5,
    "d/grad_norm": 2.0,
    "d/real_grad_norm": 2.0,
    "skipped": 0.0,
    "colour_drift/r": 0.1,
    "colour_drift/g": -0.1,
    "colour_drift/b": 0.0,
}


def test_a_healthy_run_gets_no_advice():
    assert warnings_for(HEALTHY, bounded=True) == {}
    assert warnings_for({"loss": 0.2, "grad_norm": 1.0}, bounded=True) == {}
    balanced = {"pull/l1": 3.0, "pull/perceptual": 9.0, "pull/adversarial": 0.1, "pull/total_variation": 1e-6}
    assert warnings_for(HEALTHY | balanced, bounded=True) == {}


@pytest.mark.parametrize(
    ("values", "sign", "advice"),
    [
        ({"d/margin": LARGEST_MARGIN + 1}, "discriminator", "the discriminator wins (margin 13.0): lower"),
        ({"d/margin": SMALLEST_MARGIN - 1}, "generator", "the generator wins (margin -1.5): raise"),
        ({"colour_drift/g": -LARGEST_DRIFT - 1}, "colour", "colours move by 3.0 levels: raise loss_weight"),
        ({"grad_norm": 2 * LARGEST_GRADIENT}, "grad_norm", "grad_norm is 2000: set optimizer.clip_norm"),
        (
            {"d/real_grad_norm": 2 * LARGEST_GRADIENT},
            "d/real_grad_norm",
            "d/real_grad_norm is 2000: set adversarial.optimizer.clip_norm",
        ),
        (
            {"pull/l1": 3.0, "pull/perceptual": 9.0, "pull/adversarial": 0.005},
            "imbalance",
            "at the result perceptual pulls over 1000 times as hard as adversarial: "
            "if that stays so, raise adversarial.weight or lower perceptual.weight",
        ),
        (
            {"pull/mse": 0.001, "pull/adversarial": 2.0},
            "imbalance",
            "at the result adversarial pulls over 1000",
        ),
        ({"skipped": 3.0}, "skipped", "3 updates had no finite gradient and were skipped: lower"),
    ],
)
def test_each_sign_has_its_advice(values, sign, advice):
    (told,) = warnings_for({**HEALTHY, **values}, bounded=True).items()
    assert told[0] == sign
    assert told[1].startswith(advice)


def test_wasserstein_critics_may_have_any_margin():
    assert warnings_for({**HEALTHY, "d/margin": 1e4}, bounded=False) == {}


def test_a_checkerboard_in_validation_is_told():
    (told,) = warnings_for({"validation/checkerboard": 2.5}, bounded=False).values()
    assert told.startswith("results have a checkerboard of 2.5 levels")
    assert warnings_for({"validation/checkerboard": float("nan")}, bounded=False) == {}
