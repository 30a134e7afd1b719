"""Making pictures smaller and larger by whole factors with a model's downsampling kernel.

Pillow resizes planes. Theirs are bands of rows, so that beside a large result only little is in memory.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.machine import num_threads

Pixels = NDArray[np.float32]
Kernel = Literal["bicubic", "bilinear", "box"]

REACH_PX: Final = 2
"""How far, in pixels of the small picture, one resampling of either kind looks."""

BAND_PX: Final = 1 << 19
"""Pixels of the larger picture that a band has, at most: 2 MB, and little that neighbours work out again."""

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
    planes = np.moveaxis(pixels, 2, 0)
    with _threads() as threads:
        return np.stack(list(threads.map(change, map(np.ascontiguousarray, planes))), axis=2)


def add_enlarged(pixels: Pixels, small: Pixels, scale: int, kernel: Kernel) -> None:
    """Add, in place, what :func:`enlarge` makes of a small picture, which is never all in memory."""
    height, width, _ = pixels.shape
    assert (height, width) == (scale * small.shape[0], scale * small.shape[1])

    def add(rows: slice, channel: int, resized: Pixels) -> None:
        pixels[rows, :, channel] += resized

    _resample_bands(small, height, width, kernel, add)


def _resample(pixels: Pixels, height: int, width: int, kernel: Kernel) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    result = np.empty((height, width, pixels.shape[2]), np.float32)

    def keep(rows: slice, channel: int, resized: Pixels) -> None:
        result[rows, :, channel] = resized

    _resample_bands(pixels, height, width, kernel, keep)
    return result


def _resample_bands(
    pixels: Pixels, height: int, width: int, kernel: Kernel, take: Callable[[slice, int, Pixels], None]
) -> None:
    """Resize to ``height × width``, and hand over bands of rows of each channel, several at a time."""
    rows = max(1, BAND_PX * height // (max(height, pixels.shape[0]) * max(width, pixels.shape[1])))

    def resize(band: tuple[int, int]) -> None:
        top, channel = band
        bottom = min(height, top + rows)
        take(
            slice(top, bottom),
            channel,
            _resized_rows(pixels[..., channel], height, width, kernel, top, bottom),
        )

    with _threads() as threads:
        for _ in threads.map(resize, product(range(0, height, rows), range(pixels.shape[2]))):
            pass


def _resized_rows(plane: Pixels, height: int, width: int, kernel: Kernel, top: int, bottom: int) -> Pixels:
    """Rows from ``top`` to ``bottom`` of a plane that is resized to ``height × width``."""
    step = len(plane) / height
    reach = math.ceil(REACH_PX * max(1.0, step))
    first, last = max(0, math.floor(top * step) - reach), math.ceil(bottom * step) + reach
    seen = Image.fromarray(np.ascontiguousarray(plane[first:last]))
    box = (0, top * step - first, plane.shape[1], bottom * step - first)
    return np.asarray(seen.resize((width, bottom - top), _FILTERS[kernel], box))


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads())
