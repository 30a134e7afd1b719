from collections import Counter

import numpy as np
import pytest

from relume.degrade.frames import FrameMean

FRAMES = list(np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), dtype=np.uint8))


def test_mean_of_file_values():
    assert FrameMean()(FRAMES) == pytest.approx(np.mean(FRAMES, axis=0) / 255, abs=1e-6)


def test_mean_of_light():
    black_and_white = [np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)]
    assert FrameMean(gamma=2.2)(black_and_white) == pytest.approx(0.5 ** (1 / 2.2), abs=1e-6)


def test_one_frame_stays_as_it_is():
    for gamma in (1.0, 2.2):
        assert FrameMean(gamma=gamma)(FRAMES[:1]) * 255 == pytest.approx(FRAMES[0], abs=1e-3)


def test_odd_numbers_are_equally_likely():
    rng = np.random.default_rng(0)
    drawn = Counter(2 * FrameMean().draw_reach(rng) + 1 for _ in range(4000))
    assert set(drawn) == {7, 9, 11, 13}
    assert min(drawn.values()) > 900
