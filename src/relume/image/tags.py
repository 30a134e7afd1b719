"""The descriptive tags of TIFF files: taken out as an EXIF block, and put in from one.

Both have the same directories; an EXIF block in a TIFF file is spread over the file's own first directory,
and everything must be in the file's byte order (TIFF 6.0, section 2).
"""

import os
import struct
from collections.abc import Collection
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np

from relume.image.exif import (
    EXIF_DIRECTORY,
    GPS_DIRECTORY,
    ORIENTATION,
    Block,
    ByteOrder,
    byte_order,
    entries,
)

# What describes a picture and not how the file stores it: description, make, model, software, date, artist,
# host, rating, copyright, the titles that Windows writes, and the directories on camera and place.
_DESCRIPTIVE = {
    *(270, 271, 272, ORIENTATION, 305, 306, 315, 316, 18246, 18249, 33432),
    *range(40091, 40096),
    *(EXIF_DIRECTORY, GPS_DIRECTORY),
}
_INTEROP_DIRECTORY = 0xA005
_INNER = {0: (EXIF_DIRECTORY, GPS_DIRECTORY), 1: (_INTEROP_DIRECTORY,), 2: ()}

_IPTC = 33723
_LONG, _UNDEFINED = 4, 7
# By kind (BYTE, ASCII, SHORT, LONG, RATIONAL, …): bytes of one number, numbers of one value.
_NUMBERS = {
    1: (1, 1),
    2: (1, 1),
    3: (2, 1),
    4: (4, 1),
    5: (4, 2),
    6: (1, 1),
    7: (1, 1),
    8: (2, 1),
    9: (4, 1),
    10: (4, 2),
    11: (4, 1),
    12: (8, 1),
}
_MOST_TAGS, _LARGEST_TAG = 256, 1 << 18  # more is hostile: entries can share their bytes

_HEAD = b"II*\0\x08\0\0\0"


@dataclass(frozen=True)
class Tag:
    """One entry: its kind, how many values, and these in little-endian bytes."""

    kind: int
    count: int
    data: bytes


Directory = dict[int, "Tag | Directory"]


def tags_of_tiff(path: Path) -> bytes | None:
    """The descriptive tags of a TIFF file as an EXIF block; None for a BigTIFF, damage or nothing."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as block:
            directory = _descriptive(block)
    except (struct.error, KeyError):
        return None
    return _HEAD + _laid_out(directory, len(_HEAD)) if directory else None


def storage_of_tiff(path: Path) -> dict[int, int]:
    """The first value of tags that say how a TIFF stores its pixels (SHORT ones); of a BigTIFF nothing."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as block:
        order, start = _first_directory(block)
        if start is None:
            return {}
        return {
            tag: struct.unpack_from(f"{order}H", block, at + 8)[0] for tag, at in entries(block, start, order)
        }


def retag(
    path: Path, exif: bytes | None, iptc: bytes | None = None, *, without: Collection[int] = ()
) -> None:
    """Put an EXIF block's descriptive tags and IPTC records into a little-endian TIFF file; take others out.

    The file gets a new first directory at its end, with its old entries as they are; a damaged block adds
    nothing.
    """
    try:
        added = _descriptive(exif) if exif is not None else {}
    except (struct.error, KeyError):
        added = {}
    if iptc:
        added[_IPTC] = Tag(_UNDEFINED, len(iptc), iptc)
    with path.open("rb+") as file:
        (start,) = struct.unpack("<4xL", file.read(8))
        file.seek(start)
        count = file.read(2)
        old = count + file.read(12 * struct.unpack("<H", count)[0])
        kept = {tag: old[at : at + 12] for tag, at in entries(old, 0, "<") if tag not in without}
        end = file.seek(0, os.SEEK_END)
        end += file.write(b"\0" * (end % 2))
        file.write(_laid_out(added, end, kept))
        file.seek(4)
        file.write(struct.pack("<L", end))


def _descriptive(block: Block) -> Directory:
    order, start = _first_directory(block)
    if start is None:
        return {}
    return {tag: value for tag, value in _read(block, start, order).items() if tag in _DESCRIPTIVE}


def _first_directory(block: Block) -> tuple[ByteOrder, int | None]:
    order = byte_order(block)
    version, start = struct.unpack_from(f"{order}HL", block, 2)
    return order, start if version == 42 else None


def _read(block: Block, start: int, order: ByteOrder, depth: int = 0) -> Directory:
    directory: Directory = {}
    for tag, at in entries(block, start, order):
        kind, count, value = struct.unpack_from(f"{order}HLL", block, at + 2)
        if tag in _INNER[depth]:
            directory[tag] = _read(block, value, order, depth + 1)
            continue
        number_size, numbers = _NUMBERS.get(kind, (0, 0))
        size = count * number_size * numbers
        if not 0 < size <= _LARGEST_TAG or len(directory) == _MOST_TAGS:
            continue
        data = bytes(block[at + 8 : at + 8 + size] if size <= 4 else block[value : value + size])
        if len(data) == size:
            directory[tag] = Tag(kind, count, _little_endian(data, number_size, order))
    return directory


def _little_endian(data: bytes, number_size: int, order: ByteOrder) -> bytes:
    return data if order == "<" else np.frombuffer(data, f"u{number_size}").byteswap().tobytes()


def _laid_out(directory: Directory, start: int, own: dict[int, bytes] | None = None) -> bytes:
    """The bytes of a directory at ``start``, its values behind it; ``own`` are finished entries."""
    rows = dict(own or {})
    added = {tag: value for tag, value in directory.items() if tag not in rows}
    values = start + 2 + 12 * (len(rows) + len(added)) + 4
    tail = bytearray()
    for tag, value in added.items():
        at = values + len(tail)
        if isinstance(value, dict):
            kind, count, data = _LONG, 1, _laid_out(value, at)
        else:
            kind, count, data = value.kind, value.count, value.data
        inline = not isinstance(value, dict) and len(data) <= 4
        rows[tag] = struct.pack("<HHL", tag, kind, count) + (
            data.ljust(4, b"\0") if inline else struct.pack("<L", at)
        )
        if not inline:
            tail += data + b"\0" * (len(data) % 2)
    return struct.pack("<H", len(rows)) + b"".join(rows[tag] for tag in sorted(rows)) + bytes(4) + tail
