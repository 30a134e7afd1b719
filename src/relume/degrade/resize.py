"""Resizing exactly as MATLAB's ``imresize`` does it, the resizer that published scores rest on."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kernel = Literal["bicubic", "bilinear", "box", "area"]
Edges = Literal["symmetric", "replicate"]
Intermediate = Literal["float", "uint8"]
Profile = tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]
"""Weight by distance from the output pixel, in output pixels, and the distance from which on it is 0."""


def imresize(
    pixels: NDArray[Any],
    *,
    scale: float | None = None,
    height: int | None = None,
    width: int | None = None,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
    edges: Edges = "symmetric",
    intermediate: Intermediate = "float",
) -> NDArray[Any]:
    """Resize a picture as MATLAB's ``imresize`` does: rows first, then columns.

    Args:
        pixels: HW or HWC, floating point in [0, 1].
        scale: factor for both sides; the output side is ``ceil(side * scale)``.
        height: output rows, instead of ``scale`` (give ``width`` too).
        width: output columns.
        kernel: ``bicubic`` is Keys' cubic convolution with a = −0.5. ``box`` takes whole pixels; ``area``,
            which MATLAB does not have, takes each by the part of it that an output pixel covers.
        antialias: widen the kernel by 1/scale when shrinking; ``area`` always does.
        edges: how the picture goes on beyond its border: MATLAB mirrors (``symmetric``).
        intermediate: ``uint8`` rounds to 8 bits after each of the two passes, as MATLAB does with uint8
            pictures; it reproduces published low-resolution files bit for bit.

    Returns:
        The resized picture in the same dtype. With ``intermediate="float"`` it may overshoot [0, 1] slightly.

    Source:
        R. Keys, "Cubic convolution interpolation for digital image processing", 1981, eq. 15, and the
        documented behaviour of MATLAB's ``imresize``.
    """
    assert (scale is None) != (height is None and width is None)
    rows, columns = pixels.shape[:2]
    height = int(np.ceil(rows * scale)) if scale else height or rows
    width = int(np.ceil(columns * scale)) if scale else width or columns
    for axis, (old, new) in enumerate(((rows, height), (columns, width))):
        weights = _weights(old, new, scale or new / old, kernel, antialias, edges).astype(pixels.dtype)
        pixels = np.moveaxis(np.tensordot(weights, pixels, axes=(1, axis)), 0, axis)
        if intermediate == "uint8":
            pixels = np.floor(pixels.clip(0, 1) * 255 + 0.5).astype(pixels.dtype) / pixels.dtype.type(255)
    return np.ascontiguousarray(pixels)


@lru_cache(maxsize=64)
def _weights(
    old: int, new: int, scale: float, kernel: Kernel, antialias: bool, edges: Edges
) -> NDArray[np.float64]:
    """The ``new × old`` matrix that resizes one axis."""
    stretch = min(scale, 1.0) if antialias or kernel == "area" else 1.0
    function, support = _KERNELS[kernel] if kernel != "area" else _area(stretch)
    reach = support / stretch
    centres: NDArray[np.float64] = (np.arange(new, dtype=np.float64) + 0.5) / scale - 0.5
    taps = int(np.ceil(2 * reach)) + 2
    positions = np.floor(centres - reach).astype(int)[:, None] + np.arange(taps)
    distances: NDArray[np.float64] = (centres[:, None] - positions) * stretch
    values = function(distances)
    values /= values.sum(axis=1, keepdims=True)
    matrix = np.zeros((new, old))
    np.add.at(matrix, (np.arange(new)[:, None], _inside(positions, old, edges)), values)
    return matrix


def _inside(positions: NDArray[np.int_], size: int, edges: Edges) -> NDArray[np.int_]:
    if edges == "replicate":
        return positions.clip(0, size - 1)
    folded = positions % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def _linear(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(0.0, 1 - np.abs(x))


def _box(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((x >= -0.5) & (x < 0.5)).astype(float)


def _area(stretch: float) -> Profile:
    """What an output pixel, 1 wide, and an input pixel, ``stretch`` wide, have in common; and its end."""
    reach = 0.5 + stretch / 2
    return lambda x: (reach - np.abs(x)).clip(0, stretch), reach


_KERNELS: dict[Kernel, Profile] = {
    "bicubic": (_cubic, 2.0),
    "bilinear": (_linear, 1.0),
    "box": (_box, 0.5),
}
