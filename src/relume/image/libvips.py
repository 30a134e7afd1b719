"""Levels in and out of libvips, which reads and writes what Pillow squashes to 8 bits."""

import logging
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


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
    """A libvips image of HWC uint8 or uint16 levels: grey, grey + alpha, RGB or RGBA.

    Levels that are a file (``numpy.memmap``) are read from it piece by piece, as libvips needs them.
    """
    import pyvips

    height, width, channels = levels.shape
    deep = levels.dtype == np.uint16
    names = ("grey16", "rgb16") if deep else ("b-w", "srgb")
    form = (width, height, channels)
    if isinstance(levels, np.memmap):
        image = pyvips.Image.rawload(str(levels.filename), *form, format="ushort" if deep else "uchar")
    else:
        data = np.ascontiguousarray(levels).data
        image = pyvips.Image.new_from_memory(data, *form, "ushort" if deep else "uchar")
    return image.copy(interpretation=names[channels > 2])
