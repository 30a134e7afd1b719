import math

import numpy as np

from relume.metrics.flicker import flicker

RANDOM = np.random.default_rng(5)


def test_only_still_regions_count():
    before = RANDOM.random((20, 30))
    after = before.copy()
    after[:, :15] += 0.5  # moves
    after[:, 16:] += 1 / 255  # noise
    large_before = np.zeros((40, 60))
    large = large_before.copy()
    large[:, :32] = 1  # where it moves and next to it
    large[:, 32:] = 2 / 255
    was, now = flicker(before, after, large_before, large)
    assert math.isclose(was, 1.0)
    assert math.isclose(now, 2.0)


def test_nothing_stands_still():
    picture = RANDOM.random((8, 8))
    assert all(map(math.isnan, flicker(picture, picture + 0.1, picture, picture)))
