"""Levels on the disk, for pictures larger than the memory."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Spool:
    """A file of rows that disappears when it is left.

    Args:
        path: a file that will lie beside it, as what is large enough for one is for the other.
    """

    def __init__(self, path: Path):
        self._path = path
        self._shape, self._dtype = (0, 0, 0), np.dtype(np.uint8)

    def __enter__(self) -> Self:
        self._file = NamedTemporaryFile(dir=self._path.parent, prefix=f".{self._path.stem[:40]}.")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, levels: NDArray[Any]) -> None:
        """Add HWC rows; all of one width, number of channels and type."""
        self._shape = (self._shape[0] + levels.shape[0], *levels.shape[1:])
        self._dtype: DTypeLike = levels.dtype
        self._file.write(np.ascontiguousarray(levels).data)

    def levels(self) -> NDArray[Any]:
        """All rows, HWC, read from the file where they are looked at."""
        self._file.flush()
        return np.memmap(self._file.name, self._dtype, "r", shape=self._shape)
