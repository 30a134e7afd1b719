"""Blur kernels: Gaussian and its two generalisations in any direction, and the circular sinc.

All are square with an odd side, symmetric about their middle and sum to 1: blurring moves nothing and changes
no brightness.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Shape = Literal["gaussian", "generalised", "plateau"]

BESSEL_POINTS = 96
"""Points of the integral that gives J₁; exact to float64 up to arguments of about 60."""


def bell(
    side: int, sigmas: tuple[float, float], angle: float, shape: Shape = "gaussian", beta: float = 1.0
) -> NDArray[np.float32]:
    """A bell-shaped kernel.

    Args:
        side: odd number of taps of a side.
        sigmas: standard deviations along the two axes, in pixels.
        angle: of the first axis, in radians.
        shape: ``gaussian`` is exp(−q/2) with q the squared distance in standard deviations, ``generalised``
            exp(−q^β/2) (pointed below β = 1, flat above), ``plateau`` 1/(1 + q^β).
        beta: the exponent β.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 3.1.1 and eq. 2–3.
    """
    y, x = _grid(side)
    along = (x * math.cos(angle) + y * math.sin(angle)) / sigmas[0]
    across = (y * math.cos(angle) - x * math.sin(angle)) / sigmas[1]
    squared = along**2 + across**2
    if shape == "plateau":
        values = 1 / (1 + squared**beta)
    else:
        values = np.exp(-0.5 * squared ** (beta if shape == "generalised" else 1.0))
    return (values / values.sum()).astype(np.float32)


def sinc(side: int, cutoff: float) -> NDArray[np.float32]:
    """The ideal low-pass of a circle of frequencies: what rings and overshoots at edges.

    Args:
        side: odd number of taps of a side.
        cutoff: highest frequency that passes, in radians a pixel, up to π.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, eq. 6.
    """
    y, x = _grid(side)
    radius = np.hypot(x, y)
    radius[side // 2, side // 2] = 1  # the limit is put in below
    values = cutoff * _bessel_j1(cutoff * radius) / (2 * math.pi * radius)
    values[side // 2, side // 2] = cutoff**2 / (4 * math.pi)
    return (values / values.sum()).astype(np.float32)


def _grid(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    radius = side // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    return y, x


def _bessel_j1(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bessel's integral, the mean of cos(t − x sin t) over half a turn (DLMF 10.9.2)."""
    t = (np.arange(BESSEL_POINTS) + 0.5) * math.pi / BESSEL_POINTS
    return np.cos(t - x[..., None] * np.sin(t)).mean(axis=-1)
