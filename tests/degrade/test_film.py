import numpy as np
import pytest

from relume.degrade.film import Dust, Flicker, Grain, Scratches

GREY = np.full((64, 80, 3), 0.5, np.float32)
STEPS = [Grain(), Flicker(), Scratches(), Dust(density=(4.0, 8.0))]


@pytest.mark.parametrize("step", STEPS)
def test_size_range_and_randomness_are_kept_and_the_picture_is_not_changed(step, waves):
    before = waves.copy()
    for seed in range(8):
        result, again = (step(waves, np.random.default_rng(seed)) for _ in range(2))
        assert (result.shape, result.dtype) == (waves.shape, np.float32)
        assert 0 <= result.min() <= result.max() <= 1
        assert np.array_equal(result, again)
    assert np.array_equal(waves, before)


def test_grain_is_strongest_in_middle_tones_and_spares_black_and_white():
    step = Grain(strength=(10, 10), size_px=(1, 1))
    deviations = [
        (step(GREY * 2 * level, np.random.default_rng(0)) - np.float32(level)).std() * 255
        for level in (0, 0.1, 0.5, 1)
    ]
    assert deviations[0] == deviations[3] == 0
    assert deviations[2] == pytest.approx(10, rel=0.03)
    assert deviations[1] == pytest.approx(6, rel=0.05)


def test_larger_grain_is_coarser():
    fine, coarse = (
        Grain(size_px=(size, size), colour=0)(GREY, np.random.default_rng(0))[..., 0] - 0.5 for size in (1, 3)
    )
    for grain, alike in ((fine, (-0.1, 0.1)), (coarse, (0.6, 1))):
        assert alike[0] < np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1] < alike[1]


def test_flicker_keeps_greys_grey_and_the_mean_on_average():
    results = [Flicker(0.1)(GREY, np.random.default_rng(seed)) for seed in range(100)]
    assert max(np.ptp(result, axis=2).max() for result in results) < 1e-6
    assert np.mean(results) == pytest.approx(0.5, abs=0.005)
    assert 0.01 < np.std([result.mean() for result in results]) < 0.05


def test_scratches_are_thin_and_run_down_the_picture():
    changed = np.zeros(80)
    for seed in range(20):
        result = Scratches(count=(1, 1), slant=0)(GREY, np.random.default_rng(seed))
        touched = np.abs(result - GREY).max(axis=2) > 0.02
        assert touched.any(axis=0).sum() <= 8
        changed += touched.any(axis=0)
    assert (changed > 0).sum() > 20


def test_dust_is_little_and_anywhere():
    touched = np.mean(
        [
            np.abs(Dust(density=(8, 8))(GREY, np.random.default_rng(s)) - GREY).max(axis=2) > 0.02
            for s in range(40)
        ],
        axis=0,
    )
    assert 0.001 < touched.mean() < 0.05
    assert all(part.any() for part in (touched[:20], touched[-20:], touched[:, :20], touched[:, -20:]))
