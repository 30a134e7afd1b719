"""Weighted sums under a window that slides over a picture."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian(radius: int, sigma: float) -> Array:
    """Weights at −radius … radius that sum to 1."""
    weights: Array = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def slide(values: Array, window: Array) -> Array:
    """The weighted sum under ``window`` along rows and columns, wherever it lies wholly inside.

    Args:
        values: HW or HWC, no side smaller than the window.
        window: the weights of one axis.

    Returns:
        Sides smaller by ``len(window) - 1``.
    """
    for axis in (0, 1):
        size = values.shape[axis] - len(window) + 1
        shifted = np.moveaxis(values, axis, 0)
        total = window[0] * shifted[:size]
        for offset, weight in enumerate(window[1:], start=1):
            total += weight * shifted[offset : offset + size]
        values = np.moveaxis(total, 0, axis)
    return values
