"""NumPy arrays <-> pictures."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from relume.errors import InputError
from relume.image.levels import to_levels
from relume.image.picture import Metadata, Picture, picture_from

_TYPES = ("uint8", "uint16", "float16", "float32", "float64")
_OVERSHOOT = 0.5  # how far resizers and networks go beyond [0, 1]; more is another range, such as [0, 255]


def from_array(array: NDArray[Any]) -> Picture:
    """Make a picture of an array.

    Args:
        array: HW or HWC with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels; uint8, uint16, or
            floating point in [0, 1] (clipped).

    Raises:
        InputError: if the shape, the type or the range of values is another.
    """
    levels = array[..., None] if array.ndim == 2 else array
    if levels.ndim != 3 or not 1 <= levels.shape[2] <= 4 or levels.size == 0:
        raise InputError("not a picture", got=f"shape {array.shape}", allowed="(H, W) or (H, W, 1…4)")
    if levels.dtype.name not in _TYPES:
        raise InputError("not a picture", got=f"{levels.dtype} pixels", allowed=_TYPES)
    if levels.dtype.kind == "f":
        low, high = levels.min(), levels.max()
        if not (low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT):  # also true for NaN
            raise InputError("not a picture", got=f"values from {low:g} to {high:g}", allowed="[0, 1]")
    return picture_from(levels, Metadata(), "PNG")


def to_array(
    picture: Picture, *, like: NDArray[Any] | None = None, dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """The pixels as an array.

    Args:
        picture: what to convert.
        like: an array as it was given to :func:`from_array`: type, HW or HWC and channels are as there.
        dtype: the type, if ``like`` is not given; uint8 or uint16 by the picture's bits if both are not.

    Returns:
        As ``like``; else HW for opaque grey pictures, HWC with 2 (grey, alpha), 3 or 4 channels for others.
    """
    dtype = like.dtype if like is not None else dtype or (np.uint16 if picture.bits == 16 else np.uint8)
    channels = like.shape[2:] if like is not None else _natural_channels(picture)
    count = channels[0] if channels else 1
    pixels = picture.pixels if count > 2 else picture.pixels.mean(axis=2, keepdims=True)
    if count % 2 == 0:
        alpha = np.ones_like(pixels[..., 0]) if picture.alpha is None else picture.alpha
        pixels = np.concatenate([pixels, alpha[..., None]], axis=2)
    return to_levels(pixels, dtype).reshape(*pixels.shape[:2], *channels)


def _natural_channels(picture: Picture) -> tuple[int, ...]:
    if picture.grey:
        return () if picture.alpha is None else (2,)
    return (3 if picture.alpha is None else 4,)
