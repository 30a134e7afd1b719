"""The metadata of model files, read without the libraries that load the models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

METADATA_PROPS = 14
"""Field of ONNX's ModelProto with StringStringEntryProto messages: key = 1, value = 2; see ``onnx.proto``."""

LARGEST_TEXT = 1 << 24
"""Metadata larger than 16 MiB is not read."""


def onnx_metadata(path: Path) -> dict[str, str]:
    """The ``metadata_props`` of an ``.onnx`` file; the graph, nearly all of the file, is skipped.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no protobuf message or ends early.
    """
    found: dict[str, str] = {}
    with path.open("rb") as file:
        for number, start, size in fields(file, path.stat().st_size):
            if number == METADATA_PROPS:
                _check_size(size)
                entry = {n: _text(file, at, length) for n, at, length in fields(file, start + size, start)}
                found[entry.get(1, "")] = entry.get(2, "")
    return found


def safetensors_metadata(path: Path) -> dict[str, str]:
    """The ``__metadata__`` of a ``.safetensors`` file: eight bytes of length, then a JSON object.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the header is no such JSON or ends early.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        _check_size(size)
        header = json.loads(_text(file, 8, size))
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    return {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def fields(file: BinaryIO, stop: int, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """Number, position and size of every length-delimited or varint field of a protobuf message.

    Source: protobuf.dev, "Encoding": a field is a varint ``number << 3 | type``, then its value, which is a
    varint (type 0), eight bytes (1), a varint and as many bytes (2), or four bytes (5).
    """
    at = start
    while at < stop:
        key, at = varint(file, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            start, (_, at) = at, varint(file, at)
            yield number, start, at - start
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = varint(file, at)
            if at + size <= stop:
                yield number, at, size
            at += size
        else:
            raise ValueError("not an ONNX file")
    if at != stop:
        raise ValueError("the file ends early")


def varint(file: BinaryIO, at: int) -> tuple[int, int]:
    """A base-128 number, low digits first, and the position after it."""
    file.seek(at)
    value = 0
    for i, byte in enumerate(file.read(10)):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, at + i + 1
    raise ValueError("not an ONNX file, or it ends early")


def _text(file: BinaryIO, at: int, size: int) -> str:
    file.seek(at)
    content = file.read(size)
    if len(content) < size:
        raise ValueError("the file ends early")
    return content.decode("utf-8")


def _check_size(size: int) -> None:
    if size > LARGEST_TEXT:
        raise ValueError(f"a header of {size} bytes")
