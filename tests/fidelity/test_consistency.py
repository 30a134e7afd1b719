from typing import get_args

import numpy as np
import pytest

from relume.fidelity.consistency import back_project, residual
from relume.fidelity.resampling import Kernel, enlarge, shrink

RANDOM = np.random.default_rng(3)
HQ = np.clip(
    enlarge(RANDOM.random((12, 17, 3), dtype=np.float32) * 0.6 + 0.2, 8, "bicubic")
    + RANDOM.normal(0, 0.03, (96, 136, 3)).astype(np.float32),
    0,
    1,
)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kernel", get_args(Kernel))
def test_the_input_comes_back_to_a_fraction_of_a_level(scale: int, kernel: Kernel):
    lq = shrink(HQ, scale, kernel)
    sr = np.clip(HQ[:, ::-1] + np.float32(0.05), 0, 1)
    result = back_project(sr, lq, scale, kernel)
    assert 0 <= result.min() <= result.max() <= 1
    assert abs(residual(result, lq, scale, kernel)).max() < 1
    assert abs(residual(result, lq, scale, kernel)).mean() < 0.1


def test_the_detail_that_the_input_leaves_open_stays():
    chequers = np.indices((96, 136)).sum(axis=0)[..., None] % 2 * np.float32(0.1) - np.float32(0.05)
    detailed = np.clip(HQ, 0.1, 0.9) + chequers
    result = back_project(detailed.copy(), shrink(detailed, 4, "box") + np.float32(0.02), 4, "box")
    assert abs(result - detailed - 0.02).max() < 1e-3


def test_a_result_that_fits_is_not_touched():
    sr = HQ.copy()
    assert (back_project(sr, shrink(HQ, 4, "bicubic"), 4, "bicubic") == HQ).all()
