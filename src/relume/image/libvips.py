"""Levels in and out of libvips, which reads and writes what Pillow squashes to 8 bits."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from tempfile import gettempdir
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from relume.errors import OutputError

Convert = Callable[[NDArray[Any]], NDArray[Any]]
"""HWC levels in some colour space -> grey or RGB ones of as many rows and columns."""


def opened(loader: str, file: BinaryIO, fail_on: str = "error") -> Any:
    """Open an image by its header, with the named libvips loader (``pngload``, ``tiffload``, ``jpegload``).

    With ``fail_on="none"`` what is missing in a damaged file is left out.

    The file is read through its descriptor: libvips would remember results by name, and misread some names.
    """
    import pyvips

    logging.getLogger("pyvips").setLevel(logging.ERROR)  # it warns of each thing that it leaves out
    source = pyvips.Source.new_from_descriptor(file.fileno())
    return getattr(pyvips.Image, f"{loader}_source")(source, access="sequential", fail_on=fail_on)


def levels_of(image: Any) -> NDArray[Any]:
    """Decode to HWC levels, uint8 or uint16."""
    return image.numpy().reshape(image.height, image.width, image.bands)


def image_of(levels: NDArray[Any]) -> Any:
    """A libvips image of HWC uint8 or uint16 levels: grey, grey + alpha, RGB or RGBA."""
    import pyvips

    height, width, channels = levels.shape
    deep = levels.dtype == np.uint16
    data = np.ascontiguousarray(levels).data
    image = pyvips.Image.new_from_memory(data, width, height, channels, "ushort" if deep else "uchar")
    names = ("grey16", "rgb16") if deep else ("b-w", "srgb")
    return image.copy(interpretation=names[channels > 2])


@dataclass(frozen=True)
class DecodedRows:
    """Levels of a decoded image that lie on the disk; those that are looked at are read.

    Attributes:
        image: of libvips, in a file.
        convert: done to rows that are read, where they are neither grey nor RGB.
    """

    image: Any
    convert: Convert | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns, channels."""
        return self.image.height, self.image.width, self[:1].shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return self[:1].dtype

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        first, last, _ = rows.indices(self.image.height)
        levels = levels_of(self.image.crop(0, first, self.image.width, last - first))
        return self.convert(levels) if self.convert else levels

    def turned(self, turn: int) -> "DecodedRows":
        """Upright, from an EXIF orientation."""
        image = self.image
        if turn >= 5:
            image = image.rot90().fliphor()  # columns become rows
        if turn in (3, 4, 7, 8):
            image = image.flipver()
        return replace(self, image=image.fliphor() if turn in (2, 3, 6, 7) else image)


def decoded(image: Any, convert: Convert | None = None) -> DecodedRows:
    """Decode an image, row by row, to a temporary file that ends with the process.

    Raises:
        OutputError: if there is too little disk for it.
    """
    import pyvips

    _require_space(image.width * image.height * image.bands * (1 if image.format == "uchar" else 2))
    rows = pyvips.Image.new_temp_file("%s.v")
    image.write(rows)
    return DecodedRows(rows, convert)


def _require_space(num_bytes: int) -> None:
    folder = gettempdir()
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise OutputError(
            f"there is too little disk for a temporary file in {folder}",
            got=f"{num_bytes / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free",
            hint="name another folder in the environment variable TMPDIR",
        )
