"""Results whose colours are those of their input."""

from typing import Final

import numpy as np

from relume.fidelity.resampling import REACH_PX, Kernel, Pixels, add_enlarged, by_channel, shrink

SIGMA_PX: Final = 4.0
"""Standard deviation, in input pixels, of the Gaussian that divides colour (coarser) from detail (finer)."""

_RADIUS_PX: Final = round(3 * SIGMA_PX)

MARGIN_PX: Final = _RADIUS_PX + 2 * REACH_PX
"""How far around a part of the input what happens there matters to it."""


def lock_colours(sr: Pixels, lq: Pixels, scale: int, kernel: Kernel) -> Pixels:
    """Give a result the low frequencies of its input, channel by channel; its detail stays.

    Args:
        sr: HWC in [0, 1]; changed in place.
        lq: HWC in [0, 1], smaller by ``scale``.
        scale: the factor.
        kernel: how ``lq`` is taken to have been made.

    Returns:
        ``sr``, in [0, 1].
    """
    drift = by_channel(_blur, lq - shrink(sr, scale, kernel))
    add_enlarged(sr, drift, scale, "bilinear")
    return np.clip(sr, 0, 1, out=sr)


def _blur(plane: Pixels) -> Pixels:
    """A Gaussian, cut off at three standard deviations; beyond its border the picture is mirrored."""
    for axis in (0, 1):
        plane = np.moveaxis(_blur_rows(np.moveaxis(plane, axis, 0)), 0, axis)
    return plane


def _blur_rows(plane: Pixels) -> Pixels:
    offsets = np.arange(-_RADIUS_PX, _RADIUS_PX + 1)
    weights = np.exp(-0.5 * (offsets / SIGMA_PX) ** 2).astype(np.float32)
    padded = np.pad(plane, ((_RADIUS_PX, _RADIUS_PX), (0, 0)), mode="symmetric")
    blurred = np.zeros_like(plane)
    for i, weight in enumerate(weights / weights.sum()):
        blurred += padded[i : i + len(plane)] * weight
    return blurred
