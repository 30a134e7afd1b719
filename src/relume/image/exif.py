"""EXIF blocks: orientation, size tags, thumbnail, changed in place so that maker notes stay readable.

An EXIF block is a small TIFF file: byte order, then directories of 12-byte entries (EXIF 2.32, 4.6.2).
"""

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import Literal

ByteOrder = Literal["<", ">"]
Block = bytes | bytearray | mmap

WIDTH, HEIGHT, ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY = 0x100, 0x101, 0x112, 0x8769, 0x8825
_THUMBNAIL_START, _THUMBNAIL_SIZE, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0x201, 0x202, 0xA002, 0xA003
_SHORT, _LONG = 3, 4


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


def _drop_thumbnail(block: bytearray, main: int, order: ByteOrder) -> None:
    """Cut the second directory off, and erase the picture that it points to."""
    (count,) = struct.unpack_from(f"{order}H", block, main)
    link = main + 2 + 12 * count
    if link + 4 > len(block):
        return
    (second,) = struct.unpack_from(f"{order}L", block, link)
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
