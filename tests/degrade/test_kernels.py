import math

import numpy as np
import pytest
from scipy import special

from relume.degrade import kernels


def moments(kernel):
    y, x = np.mgrid[: len(kernel), : len(kernel)] - len(kernel) // 2
    return [float((kernel * moment).sum()) for moment in (y, x, y**2, x**2, x * y)]


@pytest.mark.parametrize("shape", ["gaussian", "generalised", "plateau"])
def test_bells_sum_to_1_and_move_nothing(shape):
    kernel = kernels.bell(21, (2.5, 1.0), 0.7, shape, 0.8)
    assert kernel.shape == (21, 21)
    assert kernel.sum() == pytest.approx(1)
    assert moments(kernel)[:2] == pytest.approx([0, 0], abs=1e-5)
    assert np.array_equal(kernel, kernel[::-1, ::-1])


def test_a_gaussian_has_its_standard_deviations_along_its_axes():
    assert moments(kernels.bell(21, (2.0, 1.0), 0))[2:] == pytest.approx([1, 4, 0], abs=1e-3)
    assert moments(kernels.bell(21, (2.0, 1.0), math.pi / 2))[2:] == pytest.approx([4, 1, 0], abs=1e-3)
    assert moments(kernels.bell(21, (2.0, 1.0), math.pi / 4))[4] == pytest.approx(1.5, abs=1e-3)


def test_generalised_at_1_is_gaussian_and_larger_is_flatter():
    gaussian, generalised = kernels.bell(15, (2, 2), 0), kernels.bell(15, (2, 2), 0, "generalised", 1.0)
    assert np.array_equal(gaussian, generalised)
    flat = kernels.bell(15, (2, 2), 0, "generalised", 4.0)
    assert flat[7, 8] / flat[7, 7] > 0.99 > 0.9 > gaussian[7, 8] / gaussian[7, 7]


@pytest.mark.parametrize(("side", "cutoff"), [(7, math.pi / 3), (21, math.pi / 5), (21, math.pi)])
def test_sinc_is_the_published_formula(side, cutoff):
    y, x = np.mgrid[:side, :side] - side // 2
    radius = np.hypot(y, x)
    with np.errstate(invalid="ignore"):
        expected = cutoff * special.j1(cutoff * radius) / (2 * math.pi * radius)
    expected[side // 2, side // 2] = cutoff**2 / (4 * math.pi)
    assert np.allclose(kernels.sinc(side, cutoff), expected / expected.sum(), atol=1e-7)
