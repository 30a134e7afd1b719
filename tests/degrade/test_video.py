import numpy as np
import pytest

from relume.degrade.video import ChromaShift, Interlace, Tape

LUMA = np.float32([0.299, 0.587, 0.114])


@pytest.mark.parametrize("step", [Interlace(), ChromaShift(), Tape()])
def test_size_and_range_are_kept_and_nothing_moves_on_average(step, waves):
    before, results = waves.copy(), []
    for seed in range(100):
        result = step(waves, np.random.default_rng(seed))
        assert (result.shape, result.dtype) == (waves.shape, np.float32)
        assert 0 <= result.min() <= result.max() <= 1
        results.append(result)
    assert np.array_equal(waves, before)
    difference = np.mean(results, axis=0) - waves
    for axis in (0, 1):
        slope = np.gradient(waves, axis=axis)
        assert abs((difference * slope)[:, 10:-10].sum() / (slope**2)[:, 10:-10].sum()) < 0.3
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.005


def test_interlacing_moves_one_field_only(waves):
    result = Interlace(motion_px=(3, 3))(waves, np.random.default_rng(0))
    same = [np.array_equal(result[field::2], waves[field::2]) for field in (0, 1)]
    assert sorted(same) == [False, True]
    field = same.index(False)
    to_the_right = np.abs(result[field::2, 10:-10] - waves[field::2, 7:-13]).max()
    to_the_left = np.abs(result[field::2, 10:-10] - waves[field::2, 13:-7]).max()
    assert min(to_the_right, to_the_left) < 1e-6


def test_displaced_colour_leaves_brightness_and_greys_alone(waves):
    muted = 0.5 + (waves - 0.5) * np.float32(0.3)
    result = ChromaShift()(muted, np.random.default_rng(0))
    assert np.abs((result - muted) @ LUMA).max() < 1e-5
    assert np.abs(result - muted).max() > 0.02
    grey = np.repeat(waves[..., :1], 3, axis=2)
    assert np.abs(ChromaShift()(grey, np.random.default_rng(1)) - grey).max() < 1e-5


def test_tape_loses_what_is_fine_along_lines_only():
    stripes = np.full((32, 32, 3), 0.3, np.float32)
    stripes[:, ::2] = 0.7
    step = Tape(smear_px=(2, 2), jitter_px=(0, 0))
    assert step(stripes, np.random.default_rng(0)).std() < 0.02
    across = np.ascontiguousarray(stripes.transpose(1, 0, 2))
    assert np.allclose(step(across, np.random.default_rng(0)), across, atol=1e-6)
