"""Structural similarity, in the three variants that published tables use; never compare across variants.

All of them are the index of Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli, "Image quality assessment: from
error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004, eq. 13, with K1 = 0.01
and K2 = 0.03. They differ in the window, in what happens at the border and in the estimate of the variance.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.metrics.window import Array, gaussian, slide


def ssim_matlab(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """The authors' own variant: Gaussian window 11×11, σ = 1.5, only where it lies wholly inside.

    Args:
        a: HW, or HWC (each channel alone, then the mean); at least 11×11.
        b: the same shape.
        peak: the largest possible value.
    """
    return float(np.mean(_index(_moments(a, b, gaussian(5, sigma=1.5)), peak)))


def ssim_skimage7(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """The default of scikit-image's ``structural_similarity``: uniform 7×7 window, sample covariance.

    Args:
        a: HW, or HWC (each channel alone, then the mean); at least 7×7.
        b: the same shape.
        peak: the largest possible value.
    """
    return float(np.mean(_index(_moments(a, b, np.full(7, 1 / 7)), peak, unbiased=49 / 48)))


def ssim_daala(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """The variant of the Daala codec's tools, which the tables of the SRGAN paper used.

    The Gaussian window grows with the picture, σ = 1.5·H/256, and its weights are multiples of 1/256. It is
    cut off at the border, where positions count by the share of the window that lies inside.

    Args:
        a: HW, or HWC (each channel alone, then the mean).
        b: the same shape.
        peak: the largest possible value.
    """
    window = _daala_window(1.5 * a.shape[0] / 256, max_radius=min(a.shape[:2]) - 1)
    border = [(len(window) // 2,) * 2] * 2 + [(0, 0)] * (a.ndim - 2)
    share = slide(np.pad(np.ones(a.shape), border), window)
    moments = [m / share for m in _moments(np.pad(a, border), np.pad(b, border), window)]
    return float(np.average(_index(moments, peak), weights=share))


def _daala_window(sigma: float, max_radius: int) -> Array:
    """Gaussian weights, rounded to multiples of 1/256, as far as they round to something; the sum is 1."""
    cut = math.sqrt(math.pi / 2) * sigma / 256
    radius = min(int(sigma * math.sqrt(-2 * math.log(cut))) if cut < 1 else 0, max_radius)
    offsets = np.arange(-radius, radius + 1)
    weights = np.floor(256 / (math.sqrt(2 * math.pi) * sigma) * np.exp(-0.5 * (offsets / sigma) ** 2) + 0.5)
    weights[radius] += 256 - weights.sum()
    return weights / 256


def _moments(a: NDArray[Any], b: NDArray[Any], window: Array) -> list[Array]:
    """The windowed means of a, b, a², b² and ab."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return [slide(values, window) for values in (a, b, a * a, b * b, a * b)]


def _index(moments: list[Array], peak: float, unbiased: float = 1.0) -> Array:
    """Eq. 13 at every position, from the five windowed means."""
    a, b, aa, bb, ab = moments
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    variances = unbiased * (aa - a * a + bb - b * b)
    covariance = unbiased * (ab - a * b)
    return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2))
