import numpy as np
import pytest

from relume.degrade.convolution import convolve
from relume.degrade.few_frames import FewFrames, mean_along
from relume.degrade.motion import rasterize


def paths(count=300, num_frames=11, **options):
    rng = np.random.default_rng(0)
    return [FewFrames(**options).draw_path(num_frames, rng) for _ in range(count)]


def test_the_target_is_the_middle_moment():
    assert all(path[5] == 0 for path in paths())


def test_ways_are_as_long_as_asked_and_stay_within_the_margin():
    blur = FewFrames(extent_px=(4, 30))
    ways = [np.abs(np.diff(path)).sum() for path in paths(extent_px=(4, 30))]
    assert 4 <= min(ways) < 5
    assert 27 < max(ways) <= 30.001
    assert np.median(ways) == pytest.approx(np.sqrt(4 * 30), rel=0.15)
    assert max(np.abs(path).max() for path in paths(extent_px=(4, 30))) < blur.margin_px


def test_without_bend_motion_is_straight_and_even():
    for path in paths(20, bend=0.0):
        steps = np.diff(path)
        assert steps == pytest.approx(steps[0])


def test_bent_motion_sometimes_turns_back():
    turned = [abs(path[-1] - path[0]) < 0.5 * np.abs(np.diff(path)).sum() for path in paths()]
    assert 0.05 < np.mean(turned) < 0.5


def test_every_moment_leaves_an_edge():
    picture = np.zeros((9, 60, 3), np.float32)
    picture[:, 30:] = 1
    steps = np.unique(mean_along(picture, np.arange(-3, 4) * 6.0)[4, :, 0].round(5))
    assert steps == pytest.approx(np.arange(8) / 7, abs=1e-4)


def test_the_mean_of_moved_pictures_is_a_convolution():
    picture = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    path = FewFrames(extent_px=(20, 20)).draw_path(7, np.random.default_rng(1))
    expected = convolve(picture, rasterize(path, around=0))
    assert mean_along(picture, path) == pytest.approx(expected, abs=1e-5)


def test_pictures_stay_as_bright_as_they_were():
    flat = np.full((33, 21, 3), 0.3, np.float32)
    for seed in range(10):
        assert FewFrames(objects=1.0)(flat, np.random.default_rng(seed)) == pytest.approx(0.3, abs=1e-5)


def test_an_object_moves_in_its_own_way():
    picture = np.random.default_rng(0).random((96, 96, 3)).astype(np.float32)
    camera = FewFrames(extent_px=(0.01, 0.01), spread=0.0, objects=0.0)
    assert camera(picture, np.random.default_rng(3)) == pytest.approx(picture, abs=0.02)
    blurred = FewFrames(extent_px=(20, 20), spread=0.0, objects=1.0)(picture, np.random.default_rng(3))
    alone = FewFrames(extent_px=(20, 20), spread=0.0, objects=0.0)(picture, np.random.default_rng(3))
    differs = np.abs(blurred - alone).max(2) > 1e-4
    assert 0.02 < differs.mean() < 0.98


def test_the_same_seed_gives_the_same_blur():
    picture = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    first, again = (FewFrames()(picture, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, FewFrames()(picture, np.random.default_rng(6)))
