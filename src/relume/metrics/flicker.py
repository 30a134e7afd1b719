"""Temporal consistency: how much what stands still in a film is made to flicker."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

STILL_LEVELS = 3.0
"""A pixel stands still if neither it nor its neighbours change by more than this, in 8-bit levels."""


def flicker(
    lq_before: NDArray[Any], lq: NDArray[Any], sr_before: NDArray[Any], sr: NDArray[Any]
) -> tuple[float, float]:
    """Root mean square change of static regions from one frame to the next, in the input and in the output.

    A frame-by-frame network may turn invisible noise of the input into visible changes of texture. Where the
    input stands still, the output should: there the two numbers can be compared without estimating motion,
    whose errors would be counted as flicker (compare the warping error of W.-S. Lai et al., "Learning Blind
    Video Temporal Consistency", 2018, equation 9, with its mask of static pixels alone).

    Args:
        lq_before: luma of a frame of the input, HW, in [0, 1].
        lq: luma of the next one.
        sr_before: luma of the same frame of the output, H'W'.
        sr: luma of the next one.

    Returns:
        The input's and the output's change in 8-bit levels; NaN where nothing stands still.
    """
    assert lq_before.shape == lq.shape
    assert sr_before.shape == sr.shape
    change = 255 * np.abs(np.subtract(lq, lq_before, dtype=np.float64))
    still = _largest_nearby(change) <= STILL_LEVELS
    rows, columns = (
        np.arange(large) * small // large for large, small in zip(sr.shape, lq.shape, strict=True)
    )
    large_change = 255 * np.subtract(sr, sr_before, dtype=np.float64)
    return _rms(change[still]), _rms(large_change[still[np.ix_(rows, columns)]])


def _largest_nearby(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The maximum of 3 × 3 neighbours."""
    padded = np.pad(values, 1, mode="edge")
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:])


def _rms(values: NDArray[np.float64]) -> float:
    return math.sqrt(float(np.square(values).mean())) if values.size else math.nan
