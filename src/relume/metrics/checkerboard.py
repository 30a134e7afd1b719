"""Checkerboards: the regular pattern that layers which enlarge leave in pictures.

Sources: A. Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016, for where it comes from;
R. Durall et al., "Watch your Up-Convolution", CVPR 2020, for looking for it in the spectrum.
"""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.metrics.protocol import to_uint8

SMALLEST_WINDOW_PX = 32
"""Side below which the frequencies beside a line are too far from it."""


def period_of(scale: int) -> int:
    """The period to look for: the scale, or 4 at scale 1, where networks halve and double a picture twice."""
    return scale if scale > 1 else 4


def checkerboard(picture: NDArray[Any], period_px: int) -> float:
    """How strong a pattern with this period is, root mean square over pixels and channels, in levels of 255.

    The spectrum of a photograph is smooth; a lattice stands out of it at the multiples of 1/period. Over
    overlapping windows of eight periods or more, what exceeds the neighbouring frequencies there is summed
    up. What changes sign from one place to the next within a window is not found.

    Args:
        picture: HWC, uint8 or floating point in [0, 1].
        period_px: that of the pattern, at least 2; of a network that enlarges, its scale.

    Returns:
        Some tenths for photographs, more for regular texture and what JPEG's blocks left; NaN where the
        picture is smaller than a window.
    """
    assert period_px >= 2
    num_periods = max(8, -(-SMALLEST_WINDOW_PX // period_px))
    power = _power(to_uint8(picture).astype(np.float32), num_periods * period_px)
    if power is None:
        return math.nan
    lattice = itertools.product(range(0, len(power), num_periods), repeat=2)
    excess = (power[place] - _expected(power, *place) for place in lattice if place != (0, 0))
    return math.sqrt(sum(max(0.0, found) for found in excess))


def _power(picture: NDArray[np.float32], side: int) -> NDArray[np.float64] | None:
    """Mean power of every frequency in square windows; a wave of amplitude a sums up to a²/2."""
    if min(picture.shape[:2]) < side:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1))
    windows = windows[:: side // 2, :: side // 2].reshape(-1, side, side)
    taper = np.hanning(side + 1)[:-1]
    weights = np.outer(taper, taper)
    spectra = np.fft.fft2((windows - windows.mean(axis=(1, 2), keepdims=True)) * weights)
    return np.square(np.abs(spectra)).mean(axis=0) / weights.sum() ** 2


def _expected(power: NDArray[np.float64], row: int, column: int) -> float:
    """What the neighbours let expect: their geometric mean, on the axis where photographs have most on it."""
    away = (-3, -2, 2, 3)  # the taper spreads a line over its next neighbours
    across = [power[row, (column + step) % len(power)] for step in away] if column or not row else []
    down = [power[(row + step) % len(power), column] for step in away] if row or not column else []
    return float(np.exp(np.mean(np.log(np.maximum(across + down, 1e-12)))))
