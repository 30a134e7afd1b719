"""Making pictures smaller and larger by whole factors with a model's downsampling kernel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.machine import num_threads

Pixels = NDArray[np.float32]
Kernel = Literal["bicubic", "bilinear", "box"]

REACH_PX: Final = 2
"""How far, in pixels of the small picture, one resampling of either kind looks."""

_FILTERS: Final[dict[Kernel, Image.Resampling]] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
}


def shrink(pixels: Pixels, scale: int, kernel: Kernel) -> Pixels:
    """Divide both sides by ``scale``, antialiased; values are not clipped.

    Args:
        pixels: HWC; both sides are multiples of ``scale``.
        scale: the factor.
        kernel: the model's, see :attr:`relume.card.ModelCard.downsampling`.
    """
    return _resample(pixels, pixels.shape[0] // scale, pixels.shape[1] // scale, kernel)


def enlarge(pixels: Pixels, scale: int, kernel: Kernel) -> Pixels:
    """Multiply both sides by ``scale``: up to borders and a factor, the adjoint of :func:`shrink`."""
    return _resample(pixels, pixels.shape[0] * scale, pixels.shape[1] * scale, kernel)


def by_channel(change: Callable[[Pixels], Pixels], pixels: Pixels) -> Pixels:
    """Apply a function of HW planes to each channel of HWC, several at a time."""
    with ThreadPoolExecutor(min(num_threads(), pixels.shape[2])) as threads:
        planes = threads.map(change, (np.ascontiguousarray(plane) for plane in np.moveaxis(pixels, 2, 0)))
        return np.stack(list(planes), axis=2)


def _resample(pixels: Pixels, height: int, width: int, kernel: Kernel) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    return by_channel(
        lambda plane: np.asarray(Image.fromarray(plane).resize((width, height), _FILTERS[kernel])), pixels
    )
