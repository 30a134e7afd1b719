"""Reading picture files: what they are is decided by their content, and damage is one clear error."""

import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL.Image import DecompressionBombError

from relume.errors import InputError, OutOfMemory, RelumeError
from relume.image import pil, png, tiff
from relume.image.picture import Metadata, Picture, picture_from, turned_upright

MAX_PIXELS: Final = 180_000_000
"""The most pixels a file may have, unless said otherwise."""

READABLE_SUFFIXES: Final = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp"),
    *(".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif"),
)
"""Names that picture files usually have; only for finding them in folders."""

_READABLE: Final = "PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF"
_HEAD_SIZE: Final = 64
_FROM_PILLOW: Final = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_PLUGINS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}


def read_picture(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a PNG, JPEG, WebP, TIFF, BMP, AVIF or GIF file; of several frames or pages the first.

    The EXIF orientation is applied. Palettes become RGB (or grey); CMYK becomes sRGB, through the profile in
    the file if there is one. PNG and TIFF with 16 bits a channel keep them. The colour of fully transparent
    pixels is filled from nearby, see :func:`relume.image.transparency.fill_transparent`.

    Args:
        path: the file; its name says nothing about its format.
        max_pixels: files that announce more are refused before anything is decoded.

    Raises:
        InputError: if the file is missing, empty, truncated, damaged, too large or not a picture.
        OutOfMemory: if the decoded picture does not fit into memory.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no regular file" if path.exists() else "no such file"
        raise InputError(f"cannot read {path}", got=found)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            file.seek(0)
            format = _format_of(head, path)
            with _decoding(path, format):
                levels, metadata = _read(file, path, format, head, max_pixels)
                levels, metadata = turned_upright(levels, metadata)
    except OSError as error:
        raise InputError(f"cannot read {path}", got=error.strerror or error) from error
    try:
        return picture_from(levels, metadata, format)
    except MemoryError as error:
        raise _too_little_memory(path) from error


def read_size(path: str | Path) -> tuple[int, int]:
    """Width and height of a picture file as it is stored, by its header: nothing is decoded.

    Raises:
        InputError: if the file is missing or not a picture.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            file.seek(0)
            format = _format_of(head, path)
            with _decoding(path, format):
                if format == "TIFF":
                    page = tiff.opened(file, path)
                    return page.width, page.height
                return _PLUGINS[format](file, str(path)).size
    except OSError as error:
        raise InputError(f"cannot read {path}", got=error.strerror or error) from error


def _format_of(head: bytes, path: Path) -> str:
    if not head:
        raise InputError(f"cannot read {path}", got="an empty file", allowed=_READABLE)
    for start, format in (
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        *((start, "TIFF") for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ):
        if head.startswith(start):
            return format
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and (b"avif" in head or b"avis" in head) and AvifImagePlugin.SUPPORTED:
        return "AVIF"
    raise InputError(f"cannot read {path}", got="a file in another format", allowed=_READABLE)


def _read(
    file: BinaryIO, path: Path, format: str, head: bytes, max_pixels: int
) -> tuple[NDArray[Any], Metadata]:
    if format == "TIFF":
        page = tiff.opened(file, path)
        _check_size(page.width, page.height, max_pixels, path)
        return tiff.levels_of(page, path), tiff.metadata_of(page, path)
    image = _PLUGINS[format](file, str(path))
    _check_size(*image.size, max_pixels, path)
    if isinstance(image, PngImagePlugin.PngImageFile) and png.is_beyond_pillow(head):
        return png.read_levels(file, image), pil.metadata_of(image)
    image.load()
    return pil.levels_of(image), pil.metadata_of(image)


def _check_size(width: int, height: int, max_pixels: int, path: Path) -> None:
    if width * height > max_pixels:
        raise InputError(
            f"{path} is too large",
            got=f"{width} × {height} pixels",
            allowed=f"up to {max_pixels:,} pixels in all",
            hint="raise the limit with --max-pixels",
        )
    if width * height == 0:
        raise InputError(f"cannot read {path}", got="a picture without pixels")


@contextmanager
def _decoding(path: Path, format: str) -> Generator[None]:
    """Whatever a decoder raises about a damaged or hostile file becomes one line; its warnings are hidden."""
    try:
        with _quiet_pillow():
            yield
    except RelumeError:
        raise
    except MemoryError as error:
        raise _too_little_memory(path) from error
    except DecompressionBombError as error:  # a frame of a GIF that is larger than the GIF
        raise InputError(f"{path} is too large", got=error) from error
    except Exception as error:  # decoders raise anything: SyntaxError, IndexError, pyvips.Error, …
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot read {path}", got=f"a damaged {format} file ({reason[:120]})") from error


def _too_little_memory(path: Path) -> OutOfMemory:
    return OutOfMemory(f"not enough memory to read {path}", hint="free some memory or shrink the picture")


@contextmanager
def _quiet_pillow() -> Generator[None]:
    """Hide warnings from Pillow's modules; each thread puts one filter in and takes one out.

    (``warnings.catch_warnings`` lets threads that overlap restore each other's filters.)
    """
    filters = cast("list[Any]", warnings.filters)
    filters.insert(0, _FROM_PILLOW)
    try:
        yield
    finally:
        with suppress(ValueError):
            filters.remove(_FROM_PILLOW)
