"""Rows that libvips takes as they are made: a picture on its way into a file, of which only a part is there.

libvips reads images from memory, from files that it maps as a whole, or from streams in a format. So the rows
come to it as an uncompressed BigTIFF that is made while it is read: a head, and then the levels as they are.
"""

import os
import struct
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from relume.image import libvips

_ROWS = 16  # of a strip of the TIFF
_SHORT, _LONG, _LONG8 = 3, 4, 16
_MARK, _ORDER = (b"II", "<") if sys.byteorder == "little" else (b"MM", ">")


@dataclass(frozen=True)
class LevelStrips:
    """Levels that come from top to bottom.

    Attributes:
        shape: rows, columns and channels of all together; grey or RGB, with or without alpha.
        dtype: uint8 or uint16.
        parts: HWC, of that width.
    """

    shape: tuple[int, int, int]
    dtype: DTypeLike
    parts: Iterator[NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """Bytes of all levels."""
        height, width, channels = self.shape
        return height * width * channels * np.dtype(self.dtype).itemsize


@contextmanager
def image_to_save(levels: NDArray[Any] | LevelStrips) -> Generator[Any]:
    """A libvips image of HWC levels, to be saved once, in the block; raises what fails meanwhile."""
    import pyvips

    if not isinstance(levels, LevelStrips):
        yield libvips.image_of(levels)
        return
    feed = _Feed(levels)
    try:
        yield feed.image
    except pyvips.Error:
        if feed.error is None:
            raise
        raise feed.error from None


class _Feed:
    """A libvips image of levels in strips; must be kept until the image is written.

    Attributes:
        image: to be saved once, from top to bottom.
        error: what went wrong while a strip was made; the saving then fails, too.
    """

    def __init__(self, strips: LevelStrips):
        import pyvips

        self.error: BaseException | None = None
        self._head = _head(strips)
        self._size = len(self._head) + strips.nbytes
        self._parts = strips.parts
        self._part = memoryview(b"")
        self._position = 0
        self._source = pyvips.SourceCustom()
        self._source.on_read(self._read)
        self._source.on_seek(self._seek)
        self.image: Any = pyvips.Image.tiffload_source(self._source, access="sequential", fail_on="error")

    def _seek(self, offset: int, whence: int) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def _read(self, size: int) -> bytes:
        """Called by libvips, which cannot pass exceptions on and takes too few bytes for a failure."""
        if self._position < len(self._head):
            data = self._head[self._position : self._position + size]
        else:
            data = self._levels(size)
        self._position += len(data)
        return data

    def _levels(self, size: int) -> bytes:
        """The next bytes of the levels, which libvips reads in their order."""
        try:
            if not self._part:
                self._part = np.ascontiguousarray(next(self._parts)).data.cast("B")
        except BaseException as error:
            self.error = error
            return b""
        data, self._part = bytes(self._part[:size]), self._part[size:]
        return data


def _head(strips: LevelStrips) -> bytes:
    """All of the TIFF but the levels (TIFF 6.0, section 2; in a BigTIFF places have 64 bits)."""
    height, width, channels = strips.shape
    itemsize = np.dtype(strips.dtype).itemsize
    strip_bytes = [
        min(_ROWS, height - first) * width * channels * itemsize for first in range(0, height, _ROWS)
    ]
    num_strips, num_entries = len(strip_bytes), 9 + (channels % 2 == 0)
    arrays = 16 + 8 + 20 * num_entries + 8
    levels = arrays + 16 * num_strips
    places = [levels + index * strip_bytes[0] for index in range(num_strips)]
    inline = num_strips == 1
    entries = [
        _entry(256, _LONG, width),
        _entry(257, _LONG, height),
        _entry(258, _SHORT, *[8 * itemsize] * channels),
        _entry(259, _SHORT, 1),
        _entry(262, _SHORT, 1 if channels <= 2 else 2),
        _array(273, num_strips, places[0] if inline else arrays),
        _entry(277, _SHORT, channels),
        _entry(278, _LONG, _ROWS),
        _array(279, num_strips, strip_bytes[0] if inline else arrays + 8 * num_strips),
        *([_entry(338, _SHORT, 2)] if channels % 2 == 0 else []),  # alpha, not multiplied
    ]
    start = struct.pack(f"{_ORDER}2sHHHQQ", _MARK, 43, 8, 0, 16, num_entries)
    numbers = struct.pack(f"{_ORDER}Q{2 * num_strips}Q", 0, *places, *strip_bytes)
    return start + b"".join(entries) + numbers


def _entry(tag: int, kind: int, *values: int) -> bytes:
    data = struct.pack(f"{_ORDER}{len(values)}{'H' if kind == _SHORT else 'L'}", *values)
    return struct.pack(f"{_ORDER}HHQ", tag, kind, len(values)) + data.ljust(8, b"\0")


def _array(tag: int, count: int, place: int) -> bytes:
    return struct.pack(f"{_ORDER}HHQQ", tag, _LONG8, count, place)
