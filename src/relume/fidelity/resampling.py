"""Making pictures smaller and larger by whole factors with a model's downsampling kernel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.machine import num_threads

Pixels = NDArray[np.float32]
Result = TypeVar("Result")
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
    return np.stack(_each(lambda channel: change(np.ascontiguousarray(pixels[..., channel])), pixels), axis=2)


def add_enlarged(pixels: Pixels, small: Pixels, scale: int, kernel: Kernel) -> None:
    """Add, in place, what :func:`enlarge` makes of a small picture, which is never all in memory."""
    height, width, _ = pixels.shape

    def add(channel: int) -> None:
        plane = Image.fromarray(np.ascontiguousarray(small[..., channel]))
        pixels[..., channel] += np.asarray(plane.resize((width, height), _FILTERS[kernel]))

    assert pixels.shape[:2] == (scale * small.shape[0], scale * small.shape[1])
    _each(add, pixels)


def _each(work: Callable[[int], Result], pixels: Pixels) -> list[Result]:
    """Work on each channel by its number, several at a time."""
    channels = range(pixels.shape[2])
    with ThreadPoolExecutor(min(num_threads(), len(channels))) as threads:
        return list(threads.map(work, channels))


def _resample(pixels: Pixels, height: int, width: int, kernel: Kernel) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    return by_channel(
        lambda plane: np.asarray(Image.fromarray(plane).resize((width, height), _FILTERS[kernel])), pixels
    )
