"""EXIF blocks: orientation, size tags, thumbnail, changed so that maker notes stay readable where they are.

An EXIF block is a small TIFF file: byte order, then directories of 12-byte entries (EXIF 2.32, 4.6.2). The
second directory tells of a thumbnail.
"""

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import Literal

ByteOrder = Literal["<", ">"]
Block = bytes | bytearray | mmap

WIDTH, HEIGHT, ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY = 0x100, 0x101, 0x112, 0x8769, 0x8825
_THUMBNAIL_START, _THUMBNAIL_SIZE, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0x201, 0x202, 0xA002, 0xA003
_COMPRESSION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x103, 0x11A, 0x11B, 0x128
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_JPEG, _INCH = 6, 2


def orientation(exif: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or the block is damaged."""
    try:
        order, main = _opened(exif)
        position = dict(entries(exif, main, order)).get(ORIENTATION)
        turn = 1 if position is None else _integer(exif, position, order)
    except (struct.error, KeyError):
        return 1
    return turn if 1 <= turn <= 8 else 1


def upright(exif: bytes) -> bytes:
    """The block with orientation 1."""
    order, main = _opened(exif)
    block = bytearray(exif)
    for tag, position in entries(exif, main, order):
        if tag == ORIENTATION:
            struct.pack_into(f"{order}HLHH", block, position + 2, _SHORT, 1, 1, 0)
    return bytes(block)


def resized(exif: bytes, width: int, height: int) -> bytes | None:
    """The block for a picture of this size: size tags set, the thumbnail taken out; None if damaged."""
    block = bytearray(exif)
    sizes = {WIDTH: width, HEIGHT: height, _PIXEL_WIDTH: width, _PIXEL_HEIGHT: height}
    try:
        order, main = _opened(exif)
        positions = dict(entries(exif, main, order))
        if EXIF_DIRECTORY in positions:
            positions.update(entries(exif, _integer(exif, positions[EXIF_DIRECTORY], order), order))
        for tag in positions.keys() & sizes.keys():
            struct.pack_into(f"{order}HLL", block, positions[tag] + 2, _LONG, 1, sizes[tag])
        _drop_thumbnail(block, main, order)
    except (struct.error, KeyError):
        return None
    return bytes(block)


def has_thumbnail(exif: bytes) -> bool:
    """Whether the block has a second directory, which is that of a thumbnail."""
    try:
        order, main = _opened(exif)
        return bool(_second(exif, main, order)[1])
    except (struct.error, KeyError):
        return False


def with_thumbnail(exif: bytes, jpeg: bytes) -> bytes:
    """A sound block that has no thumbnail, with this one behind it (EXIF 2.32, 4.6.8, table 21)."""
    order, main = _opened(exif)
    block = bytearray(exif + bytes(len(exif) % 2))
    directory = len(block)
    resolution = directory + 2 + 6 * 12 + 4
    picture = resolution + 16
    struct.pack_into(f"{order}L", block, _second(exif, main, order)[0], directory)
    block += struct.pack(f"{order}H", 6)
    for tag, kind, value in (
        (_COMPRESSION, _SHORT, _JPEG),
        (_X_RESOLUTION, _RATIONAL, resolution),
        (_Y_RESOLUTION, _RATIONAL, resolution + 8),
        (_RESOLUTION_UNIT, _SHORT, _INCH),
        (_THUMBNAIL_START, _LONG, picture),
        (_THUMBNAIL_SIZE, _LONG, len(jpeg)),
    ):
        layout = f"{order}HHL{'H2x' if kind == _SHORT else 'L'}"
        block += struct.pack(layout, tag, kind, 1, value)
    return bytes(block + struct.pack(f"{order}5L", 0, 72, 1, 72, 1) + jpeg)


def entries(block: Block, directory: int, order: ByteOrder) -> Iterator[tuple[int, int]]:
    """Tag and position of each entry of the directory at an offset; ``struct.error`` beyond the end."""
    (count,) = struct.unpack_from(f"{order}H", block, directory)
    for position in range(directory + 2, directory + 2 + 12 * count, 12):
        yield struct.unpack_from(f"{order}H10x", block, position)[0], position


def byte_order(block: Block) -> ByteOrder:
    """From the first two bytes of a block or TIFF file; ``KeyError`` if they are something else."""
    orders: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
    return orders[bytes(block[:2])]


def _opened(exif: bytes) -> tuple[ByteOrder, int]:
    order = byte_order(exif)
    return order, struct.unpack_from(f"{order}L", exif, 4)[0]


def _integer(block: Block, position: int, order: ByteOrder) -> int:
    (kind,) = struct.unpack_from(f"{order}H", block, position + 2)
    return struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'L'}", block, position + 8)[0]


def _second(block: Block, main: int, order: ByteOrder) -> tuple[int, int]:
    """Where the second directory's offset is, and this offset; 0 if there is none."""
    (count,) = struct.unpack_from(f"{order}H", block, main)
    link = main + 2 + 12 * count
    return link, struct.unpack_from(f"{order}L", block, link)[0] if link + 4 <= len(block) else 0


def _drop_thumbnail(block: bytearray, main: int, order: ByteOrder) -> None:
    """Cut the second directory off, and erase the picture that it points to."""
    link, second = _second(block, main, order)
    if not second:
        return
    struct.pack_into(f"{order}L", block, link, 0)
    thumbnail = dict(entries(block, second, order))
    if _THUMBNAIL_START not in thumbnail or _THUMBNAIL_SIZE not in thumbnail:
        return
    start, size = (_integer(block, thumbnail[tag], order) for tag in (_THUMBNAIL_START, _THUMBNAIL_SIZE))
    if start <= second:
        return
    if start + size >= len(block):
        del block[start:]
    else:
        block[start : start + size] = bytes(size)
