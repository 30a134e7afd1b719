import math

import pytest
import torch
from torch.nn import functional as F

from relume.losses.adversarial import ADVERSARIAL
from relume.train.recipe import Recipe
from relume.train.state import TrainState
from relume.train.step import Losses, train_step

CPU = torch.device("cpu")
ADVERSARY = {"discriminator": {"kind": "patch"}}
SRRESNET = {"kind": "srresnet", "width": 8, "num_blocks": 1}


def make(recipe, adversarial=None, **changes):
    """A state of a recipe and the step of it, both on the CPU in full precision."""
    runtime = {**recipe.resolved()["runtime"], "precision": "fp32", **changes.pop("runtime", {})}
    content = {**recipe.resolved(), "adversarial": adversarial, "runtime": runtime, **changes}
    state = TrainState.start(Recipe.model_validate(content), CPU)
    networks = {name: state.networks[name] for name in state.optimizers}
    losses = Losses(state.recipe, CPU)
    return state, lambda lq, hq: train_step(state, networks, losses, lq, hq)


def batch(n, seed=0, scale=4):
    pixels = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    hq = (pixels * 255).to(torch.uint8)
    return hq.float().reshape(n, 3, 32 // scale, scale, 32 // scale, scale).mean((3, 5)).to(torch.uint8), hq


def gradients(state):
    """Name of the network -> its whole gradient; those of the step's last update."""
    return {
        name: torch.cat([p.grad.flatten() for p in state.networks[name].parameters()])
        for name in state.optimizers
    }


def assert_same_gradients(a, b):
    for name, expected in gradients(a).items():
        worst = (gradients(b)[name] - expected).abs().max() / expected.abs().max()
        assert worst < 1e-4, name


@pytest.mark.parametrize(
    ("first", "joint", "loss"),
    [("generator", True, "bce"), ("discriminator", False, "bce"), ("discriminator", True, "wgan-gp")],
)
def test_two_parts_of_four_are_a_batch_of_eight(recipe, first, joint, loss):
    """Random places of the gradient penalty included: they belong to the crop."""
    adversarial = {**ADVERSARY, "first": first, "joint": joint, "loss": loss}
    whole, step = make(recipe, adversarial, batch_size=8)
    parts, step_in_parts = make(recipe, adversarial, batch_size=8, runtime={"accumulate": 2})
    stats, stats_in_parts = step(*batch(8)), step_in_parts(*batch(8))
    assert_same_gradients(whole, parts)
    assert stats.keys() == stats_in_parts.keys()
    for name, value in stats.items():
        torch.testing.assert_close(stats_in_parts[name], value, rtol=1e-3, atol=1e-5, check_dtype=False)


def test_relativistic_losses_compare_within_a_part(recipe):
    adversarial = {**ADVERSARY, "loss": "relativistic-lsgan"}
    state, step = make(recipe, adversarial, batch_size=4, runtime={"accumulate": 2})
    judge = state.networks["discriminator"]
    lq, hq = batch(4)
    with torch.no_grad():
        losses = []
        for i in (0, 2):
            real = hq[i : i + 2] / 255
            fake = state.generator(lq[i : i + 2] / 255)
            losses.append(ADVERSARIAL["relativistic-lsgan"].generator(judge(fake, None), judge(real, None)))
    stats = step(lq, hq)
    assert stats["loss/adversarial"].item() == pytest.approx(1e-3 * sum(losses).item() / 2, rel=1e-4)


def test_the_discriminator_learns_from_what_the_generator_made_before_its_update(recipe):
    for first in ("generator", "discriminator"):
        state, step = make(recipe, {**ADVERSARY, "first": first})
        lq, hq = batch(2)
        with torch.no_grad():
            expected = state.networks["discriminator"](state.generator(lq / 255), None).mean()
        assert step(lq, hq)["d/fake"].item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)


def test_only_the_last_critic_step_updates_the_generator(recipe):
    state, step = make(recipe, {**ADVERSARY, "loss": "wgan-gp", "critic_steps": 3})
    before = state.generator.state_dict()["head.contract"].clone()
    for number in range(3):
        stats = step(*batch(2, number))
        moved = not torch.equal(before, state.generator.state_dict()["head.contract"])
        assert moved == ("loss" in stats) == (number == 2)
        assert "d/loss" in stats


def test_a_step_is_a_pure_function_of_state_and_batch(recipe):
    """The random places of the penalty too: they come from the position of the crops."""
    finals = []
    for _ in range(2):
        state, step = make(recipe, {**ADVERSARY, "loss": "wgan-gp"})
        torch.manual_seed(len(finals))
        step(*batch(2))
        finals.append(state.networks["discriminator"].state_dict())
    assert all(torch.equal(a, b) for a, b in zip(finals[0].values(), finals[1].values(), strict=True))


def test_nan_on_its_way_forward_leaves_no_trace(recipe):
    state, step = make(recipe, arch=SRRESNET)
    before = {k: v.clone() for k, v in state.networks["generator"].state_dict().items()}
    poison = state.generator.head.register_forward_hook(lambda module, inputs, output: output * math.nan)
    stats = step(*batch(2))
    poison.remove()
    assert stats["skipped"] == 1
    for name, now in state.generator.state_dict().items():
        assert torch.equal(now, before[name]) or name.endswith("num_batches_tracked")
    stats = step(*batch(2))
    assert stats["skipped"] == 0
    assert all(value.isfinite().all() for value in state.generator.state_dict().values())
    assert all(value.isfinite().all() for value in state.averaged.state_dict().values())


def test_nan_in_one_network_is_counted_and_leaves_the_other_alone(recipe):
    state, step = make(recipe, {**ADVERSARY, "first": "discriminator"})
    judge = state.networks["discriminator"]
    before = {k: v.clone() for k, v in judge.state_dict().items()}
    with torch.no_grad():
        judge.layers[0].register_forward_hook(lambda module, inputs, output: output * math.nan)
    stats = step(*batch(2))
    assert stats["skipped"] == 2  # the generator hears of it through its adversarial loss
    assert all(torch.equal(now, before[name]) for name, now in judge.state_dict().items())


def test_colour_drift_and_margin_are_measured(recipe):
    state, step = make(recipe, ADVERSARY)
    lq, hq = batch(2)
    with torch.no_grad():
        sr = state.generator(lq / 255)
    small = sr.reshape(2, 3, 8, 4, 8, 4).mean((3, 5))
    expected = ((small - lq / 255).mean((0, 2, 3)) * 255).tolist()
    stats = step(lq, hq)
    assert [stats[f"colour_drift/{c}"].item() for c in "rgb"] == pytest.approx(expected, abs=1e-2)
    assert stats["d/margin"].item() == pytest.approx(stats["d/real"].item() - stats["d/fake"].item())


def test_the_adversarial_loss_rises_over_its_warm_up(recipe):
    state, step = make(recipe, {**ADVERSARY, "warmup_steps": 3})
    _, step_without = make(recipe, ADVERSARY)
    stats, stats_without = step(*batch(2)), step_without(*batch(2))
    share = stats["loss/adversarial"] / stats_without["loss/adversarial"]
    assert share.item() == pytest.approx(1 / 4, rel=1e-3)
    pulls = [found["pull/adversarial"].item() for found in (stats, stats_without)]
    assert pulls[0] == pytest.approx(pulls[1], rel=1e-3), (
        "at its full weight, so that it can be judged before"
    )
    assert state.step == 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_how_hard_each_loss_pulls_at_the_result(recipe, precision, accumulate):
    """The pull of L1 is its weight, that of the squared error 2 · weight · its root."""
    runtime = {"precision": precision, "accumulate": accumulate}
    changes = {"loss_weight": 3.0, "batch_size": 4, "runtime": runtime}
    _, step = make(recipe, ADVERSARY, loss="l1", **changes)
    stats = step(*batch(4))
    assert stats["pull/l1"].item() == pytest.approx(3.0, rel=1e-2)
    assert 0 < stats["pull/adversarial"] < 3.0
    _, step = make(recipe, loss="mse", **changes)
    stats = step(*batch(4))
    assert stats["pull/mse"].item() == pytest.approx(2 * (3.0 * stats["loss/mse"].item()) ** 0.5, rel=1e-2)


def test_the_generator_learns_from_the_sum_of_its_losses(recipe):
    state, step = make(recipe, {**ADVERSARY, "weight": 0.5})
    lq, hq = batch(2)
    sr = state.generator(lq / 255)
    loss = (sr - hq / 255).abs().mean() + 0.5 * F.softplus(-state.networks["discriminator"](sr, None)).mean()
    expected = torch.autograd.grad(loss, list(state.generator.parameters()))
    stats = step(lq, hq)
    assert stats["loss"].item() == pytest.approx(loss.item(), rel=1e-5)
    wanted = torch.cat([gradient.flatten() for gradient in expected])
    assert (gradients(state)["generator"] - wanted).norm() < 1e-4 * wanted.norm()


def test_gradients_are_clipped_to_a_norm(recipe):
    state, step = make(recipe, optimizer={"clip_norm": 1e-3})
    stats = step(*batch(2))
    assert stats["grad_norm"] > 1e-3
    assert gradients(state)["generator"].norm().item() == pytest.approx(1e-3, rel=1e-3)
