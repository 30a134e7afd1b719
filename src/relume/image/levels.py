"""Whole levels (0…255, 0…65535) <-> float32 in [0, 1], in blocks that stay in the processor's cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_BLOCK = 1 << 16  # samples: 256 KiB of float32


def to_float(levels: NDArray[Any]) -> NDArray[np.float32]:
    """Levels as float32 in [0, 1]: uint8 / 255, uint16 / 65535; floating point is clipped, NaN becomes 0."""
    values = np.empty(levels.shape, np.float32)
    whole = np.issubdtype(levels.dtype, np.integer)
    for rows in _blocks(levels):
        if whole:
            np.divide(levels[rows], np.float32(np.iinfo(levels.dtype).max), out=values[rows])
        else:
            _clip(levels[rows].astype(np.float32), 1, out=values[rows])
    return values


def to_levels(values: NDArray[np.float32], dtype: DTypeLike) -> NDArray[Any]:
    """Values in [0, 1] in another type: rounded half up and clipped; NaN becomes 0.

    Args:
        values: any shape.
        dtype: uint8 (times 255), uint16 (times 65535) or a floating-point type (clipped only).
    """
    levels = np.empty(values.shape, dtype)
    whole = np.issubdtype(levels.dtype, np.integer)
    top = np.iinfo(levels.dtype).max if whole else 1
    for rows in _blocks(values):
        block = values[rows] * np.float32(top)
        if whole:
            block += np.float32(0.5)
        levels[rows] = _clip(block, top, out=block)
    return levels


def _clip(block: NDArray[np.float32], top: int, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """To [0, top]; ``fmax`` and not ``clip``, because it takes NaN to 0."""
    np.fmax(block, 0, out=out)
    return np.fmin(out, top, out=out)


def _blocks(array: NDArray[Any]) -> Iterator[slice]:
    rows = max(1, _BLOCK * len(array) // max(1, array.size))
    return (slice(row, row + rows) for row in range(0, len(array), rows))
