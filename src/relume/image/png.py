"""PNG that Pillow would misread or cannot write: pixels through libvips, chunks of metadata written here."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile, PngInfo

from relume.image import libvips
from relume.image.encoder import LevelStrips, image_to_save
from relume.image.iptc import IPTC_KEYWORD, text_of
from relume.image.picture import Metadata

XMP_KEYWORD = "XML:com.adobe.xmp"
_HEAD_SIZE = 33  # signature and IHDR
_PIXELS_PER_METRE = 1 / 0.0254


def is_beyond_pillow(head: bytes) -> bool:
    """Whether Pillow would misread a PNG file with this head (26 bytes or more).

    It takes 16 bits a channel down to 8, and in grey with fewer than 8 mistakes which level is transparent.
    """
    bits, colours = head[24:25], head[25:26]
    return bits == b"\x10" or (colours == b"\0" and bits != b"\x08")


def read_levels(file: BinaryIO, image: PngImageFile) -> NDArray[Any]:
    """Decode a PNG, which Pillow has opened as ``image``, to HWC uint8 or uint16.

    Pillow goes on to the chunks behind the pixels, but does not decode these.
    """
    image.load_prepare()
    image.load_end()
    return libvips.levels_of(libvips.opened("pngload", file))


def read_rows(file: BinaryIO, image: PngImageFile) -> libvips.DecodedRows:
    """The same, decoded to the disk."""
    image.load_prepare()
    image.load_end()
    return libvips.decoded(libvips.opened("pngload", file))


def write_png(
    levels: NDArray[Any] | LevelStrips, metadata: Metadata, file: BinaryIO, *, compress_level: int
) -> None:
    """Encode HWC uint8 or uint16 levels, row after row; other parameters as :func:`write_picture`."""
    import pyvips

    output = _Inserting(file, metadata)
    target = pyvips.TargetCustom()
    target.on_write(output.write)
    bits = 8 * np.dtype(levels.dtype).itemsize
    try:
        with image_to_save(levels) as image:
            image.pngsave_target(target, bitdepth=bits, compression=compress_level, filter="sub", keep="none")
    except pyvips.Error:
        if output.error is None:
            raise
        raise output.error from None


class _Inserting:
    """Passes a PNG on with our metadata before its pixels, without the resolution that libvips makes up."""

    def __init__(self, file: BinaryIO, metadata: Metadata):
        self.error: OSError | None = None
        self._file, self._metadata = file, metadata
        self._head = b""

    def write(self, data: Any) -> int:
        """Called by libvips, which cannot pass exceptions on."""
        try:
            self._file.write(self._opened(data))
        except OSError as error:
            self.error = error
            return -1
        return len(data)

    def _opened(self, data: bytes) -> bytes:
        """What is to be written now: nothing before the pixels come, and their head when they do."""
        if b"IDAT" in self._head[_HEAD_SIZE:]:
            return data
        self._head += bytes(data)
        pixels = self._head.find(b"IDAT", _HEAD_SIZE) - 4
        if pixels < 0:
            return b""
        chunks = (_chunk(kind, content) for kind, content in _chunks(self._metadata))
        return b"".join([self._head[:_HEAD_SIZE], *chunks, self._head[pixels:]])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def text_chunks(metadata: Metadata) -> PngInfo:
    """Text, IPTC records and XMP as chunks."""
    info = PngInfo()
    for keyword, text in metadata.text.items():
        info.add_itxt(keyword, text)
    if metadata.iptc is not None:
        info.add_text(IPTC_KEYWORD, text_of(metadata.iptc), zip=True)
    if metadata.xmp is not None:
        info.add_itxt(XMP_KEYWORD, metadata.xmp.decode("utf-8", "replace"))
    return info


def _chunks(metadata: Metadata) -> Iterator[tuple[bytes, bytes]]:
    if metadata.icc is not None:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)
    if metadata.dpi is not None:
        yield b"pHYs", struct.pack(">LLB", *(round(dpi * _PIXELS_PER_METRE) for dpi in metadata.dpi), 1)
    if metadata.exif is not None:
        yield b"eXIf", metadata.exif
    for kind, data, *_ in text_chunks(metadata).chunks:
        yield kind, data
