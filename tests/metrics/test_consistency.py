import math

import numpy as np
import pytest

from relume.degrade.resize import imresize
from relume.metrics.consistency import colour_drift, consistency
from relume.metrics.protocol import to_uint8


@pytest.fixture
def hq() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 190, (48, 36, 3)).astype(np.uint8)


def shrunk(picture: np.ndarray, scale: int) -> np.ndarray:
    return to_uint8(imresize(picture / np.float32(255), scale=1 / scale))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_original_gives_its_input_back(hq, scale):
    assert consistency(hq, shrunk(hq, scale), scale) == math.inf
    assert colour_drift(hq, shrunk(hq, scale), scale) == (0, 0, 0)


def test_known_values(hq):
    """A constant added to every pixel survives shrinking: 10·log10(255² · 3 / (6² + 0 + 3²))."""
    moved = hq + np.array([6, 0, -3])
    sr = moved.astype(np.uint8)
    lq = shrunk(hq, 4)
    assert consistency(sr, lq, 4) == pytest.approx(10 * math.log10(255**2 * 3 / 45), abs=0.01)
    assert colour_drift(sr, lq, 4) == pytest.approx((6, 0, -3), abs=0.01)


def test_invented_detail_does_not_count_but_invented_shapes_do(hq):
    checks = 20 * np.resize([1, -1], (48, 36))[..., None] * np.resize([[1], [-1]], (48, 1))[..., None]
    lq = shrunk(hq, 4)
    detail = consistency((hq + checks).astype(np.uint8), lq, 4)
    shapes = consistency(np.where(np.arange(36)[:, None] < 18, hq + 20, hq - 20).astype(np.uint8), lq, 4)
    assert detail > 45
    assert shapes < 25


def test_drift_at_scale_one_is_the_plain_difference(hq):
    assert colour_drift(hq + np.uint8(4), hq, 1) == (4, 4, 4)


def test_floating_point_is_measured_as_its_file(hq):
    lq = shrunk(hq, 2)
    assert consistency(hq / np.float32(255), lq, 2) == consistency(hq, lq, 2)
