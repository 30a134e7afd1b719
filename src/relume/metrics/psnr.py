"""Peak signal-to-noise ratio."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def psnr(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB: 10·log10(peak² / mean squared difference).

    Args:
        a: any shape.
        b: the same shape.
        peak: the largest possible value; 255 even where Y only reaches 235, as is customary.

    Returns:
        Decibels; infinite for equal pictures.
    """
    assert a.shape == b.shape
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float64))))
    return 10 * math.log10(peak**2 / error) if error else math.inf
