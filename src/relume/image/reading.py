"""Reading picture files: what they are is decided by their content, and damage is one clear error."""

import logging
import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any, BinaryIO, Final, NamedTuple, cast

from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL.Image import DecompressionBombError

from relume.errors import InputError, OutOfMemory, RelumeError
from relume.image import libvips, pil, png, tiff
from relume.image.exif import orientation
from relume.image.libvips import DecodedRows
from relume.image.picture import (
    Metadata,
    Picture,
    picture_from,
    turn_of,
    turned_upright,
    upright_metadata,
)
from relume.image.scan import Scan, scan_from
from relume.image.xmp import is_restored

MAX_PIXELS: Final = 180_000_000
"""The most pixels a file may have, unless said otherwise."""

HEIC_SUFFIXES: Final = (".heic", ".heif")
"""Of what is read with the extra ``heic`` only."""

READABLE_SUFFIXES: Final = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp"),
    *(".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif"),
    *(".jp2", ".j2k", ".jpf", ".jpx"),
    *HEIC_SUFFIXES,
)
"""Names that picture files usually have; only for finding them in folders."""

ANIMATED_FORMATS: Final = ("PNG", "WEBP", "GIF", "AVIF")
"""Formats of which a file may hold several frames."""

_READABLE: Final = "PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG 2000, HEIC (with relume[heic])"
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_SALVAGEABLE: Final = {"JPEG": "jpegload", "PNG": "pngload"}  # by libvips
_ROWWISE_MODES: Final = {"L", "LA", "RGB", "RGBA"}
_HEAD_SIZE: Final = 64
_LARGEST_GIF: Final = 178_956_970  # that Pillow opens
_FROM_PILLOW: Final = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_PLUGINS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "JPEG2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
}
_LOGGER: Final = logging.getLogger(__name__)


def read_picture(path: str | Path, *, max_pixels: int = MAX_PIXELS, salvage: bool = False) -> Picture:
    """Read a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG 2000 or HEIC file; of several frames the first.

    The EXIF orientation is applied. Palettes become RGB (or grey); CMYK becomes sRGB, through the profile in
    the file if there is one. PNG and TIFF with 16 bits a channel keep them, JPEG 2000 only in grey. Fully
    transparent pixels get colour from nearby, see :func:`relume.image.transparency.fill_transparent`.

    Args:
        path: the file; its name says nothing about its format.
        max_pixels: files that announce more are refused before anything is decoded.
        salvage: of a damaged JPEG or PNG, take what can be decoded, and log a warning; the rest is grey or
            black.

    Raises:
        InputError: if the file is missing, empty, truncated, damaged, too large or not a picture.
        OutOfMemory: if the decoded picture does not fit into memory.
    """
    path = Path(path)
    with opening(path) as (file, format, head):
        try:
            with decoding(path, format, salvageable=not salvage):
                levels, metadata = _read(file, path, format, head, max_pixels)
        except InputError as error:
            if not (salvage and format in _SALVAGEABLE):
                raise
            levels, metadata = _salvage(file, path, format, max_pixels, error)
        with decoding(path, format, salvageable=not salvage):
            return picture_from(*turned_upright(levels, metadata), format)


def read_scan(path: str | Path, *, max_pixels: int = MAX_PIXELS, salvage: bool = False) -> Scan:
    """Read a large picture, but take its rows to float32 only when they are looked at.

    PNG, JPEG and TIFF are decoded row by row into a temporary file, where their levels lie then; but
    palettes, JPEG in CMYK, interlaced PNG and all other formats in memory, where the levels stay.
    Arguments and errors are those of :func:`read_picture`.
    """
    path = Path(path)
    with opening(path) as (file, format, head):
        try:
            with decoding(path, format, salvageable=not salvage):
                levels, metadata = _read_rows(file, path, format, head, max_pixels)
        except InputError as error:
            if not (salvage and format in _SALVAGEABLE):
                raise
            levels, metadata = _salvage(file, path, format, max_pixels, error)
        with decoding(path, format, salvageable=not salvage):
            if isinstance(levels, DecodedRows):
                turned = levels.turned(turn_of(metadata))
                return scan_from(turned, upright_metadata(metadata), format)
            return scan_from(*turned_upright(levels, metadata), format)


@contextmanager
def opening(path: Path) -> Generator[tuple[BinaryIO, str, bytes]]:
    """Open a picture file; gives it with its format and its first bytes.

    Raises:
        InputError: if it is missing, empty or not a picture, or cannot be read while it is used.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no regular file" if path.exists() else "no such file"
        raise InputError(f"cannot read {path}", got=found)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            file.seek(0)
            yield file, _format_of(head, path), head
    except OSError as error:
        raise InputError(f"cannot read {path}", got=error.strerror or error) from error


def open_image(file: BinaryIO, path: Path, format: str, max_pixels: int) -> ImageFile.ImageFile:
    """Open anything but a TIFF with Pillow, by its header.

    Raises:
        InputError: if it is too large, or a HEIC and the extra for them is not installed.
    """
    image = _plugin(format, path)(file, str(path))
    check_size(*image.size, max_pixels, path)
    return image


def _plugin(format: str, path: Path) -> type[ImageFile.ImageFile]:
    if format != "HEIC":
        return _PLUGINS[format]
    try:
        from pi_heif import HeifImageFile
    except ImportError as error:
        hint = "pip install 'relume[heic]'"
        raise InputError(f"cannot read {path}", got="a HEIC file", hint=hint) from error
    return HeifImageFile


class Header(NamedTuple):
    """What a file says of its picture before anything is decoded.

    Attributes:
        width: columns, upright.
        height: rows, upright.
        num_frames: of an animation; 1 for a picture.
    """

    width: int
    height: int
    num_frames: int = 1


def read_header(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Header:
    """Look at a file's header.

    Raises:
        InputError: if the file is missing, not a picture, or too large.
    """
    path = Path(path)
    with opening(path) as (file, format, _), decoding(path, format):
        if format == "TIFF":
            page = tiff.opened(file, path)
            check_size(page.width, page.height, max_pixels, path)
            return _upright(page.width, page.height, tiff.tags_of_tiff(path))
        image = open_image(file, path, format, max_pixels)
        header = _upright(*image.size, image.info.get("exif"))
        return header._replace(num_frames=_num_frames(image)) if format in ANIMATED_FORMATS else header


def is_own_result(path: Path) -> bool:
    """Whether a picture says of itself that relume made it; False also for what cannot be read."""
    try:
        with opening(path) as (file, format, _), decoding(path, format):
            if format == "TIFF":
                xmp = tiff.xmp_of(tiff.opened(file, path))
            else:
                xmp = pil.xmp_of(_plugin(format, path)(file, str(path)))
            return xmp is not None and is_restored(xmp)
    except (InputError, OutOfMemory):
        return False


def _upright(width: int, height: int, exif: bytes | None) -> Header:
    turned = exif is not None and orientation(exif.removeprefix(pil.EXIF_PREFIX)) >= 5
    return Header(height, width) if turned else Header(width, height)


def _num_frames(image: ImageFile.ImageFile) -> int:
    """Without the picture that an APNG has for those who know only PNG."""
    count: int = getattr(image, "n_frames", 1)
    return count - bool(count > 1 and image.info.get("default_image"))


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
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return "JPEG2000"
    if head[4:8] == b"ftyp":
        if (b"avif" in head or b"avis" in head) and AvifImagePlugin.SUPPORTED:
            return "AVIF"
        if head[8:12] in _HEIC_BRANDS:
            return "HEIC"
    raise InputError(f"cannot read {path}", got="a file in another format", allowed=_READABLE)


def _read(
    file: BinaryIO, path: Path, format: str, head: bytes, max_pixels: int
) -> tuple[NDArray[Any], Metadata]:
    if format == "TIFF":
        page = tiff.opened(file, path)
        check_size(page.width, page.height, max_pixels, path)
        return tiff.levels_of(page, path), tiff.metadata_of(page, path)
    image = open_image(file, path, format, max_pixels)
    if isinstance(image, PngImagePlugin.PngImageFile) and png.is_beyond_pillow(head):
        return png.read_levels(file, image), pil.metadata_of(image)
    image.load()
    return pil.levels_of(image), pil.metadata_of(image)


def _read_rows(
    file: BinaryIO, path: Path, format: str, head: bytes, max_pixels: int
) -> tuple[NDArray[Any] | DecodedRows, Metadata]:
    """As :func:`_read`, but with what can be decoded row by row on the disk."""
    if format == "TIFF":
        page = tiff.opened(file, path)
        check_size(page.width, page.height, max_pixels, path)
        return tiff.rows_of(page, path), tiff.metadata_of(page, path)
    image = open_image(file, path, format, max_pixels)
    if isinstance(image, PngImagePlugin.PngImageFile) and (
        png.is_beyond_pillow(head) or image.mode in _ROWWISE_MODES
    ):
        return png.read_rows(file, image), pil.metadata_of(image)
    if format == "JPEG" and image.mode in _ROWWISE_MODES:
        return libvips.decoded(libvips.opened("jpegload", file)), pil.metadata_of(image)
    image.load()
    return pil.levels_of(image), pil.metadata_of(image)


def _salvage(
    file: BinaryIO, path: Path, format: str, max_pixels: int, damage: InputError
) -> tuple[NDArray[Any], Metadata]:
    """Decode what there is of a damaged file.

    Raises:
        InputError: ``damage``, if that is nothing.
    """
    try:
        with decoding(path, format):
            file.seek(0)
            image = open_image(file, path, format, max_pixels)
            file.seek(0)
            found = libvips.opened(_SALVAGEABLE[format], file, fail_on="none")
            if found.interpretation == "cmyk":
                raise damage
            levels, metadata = libvips.levels_of(found), pil.metadata_of(image)
    except InputError:
        raise damage from None
    _LOGGER.warning("%s is damaged: only what could be decoded is used (%s)", path, damage.got)
    return levels, metadata


def check_size(width: int, height: int, max_pixels: int, path: Path) -> None:
    """Refuse pictures that announce too many pixels, or none.

    Raises:
        InputError: if so.
    """
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
def decoding(path: Path, format: str, *, salvageable: bool = False) -> Generator[None]:
    """Whatever a decoder raises about a damaged or hostile file becomes one line; its warnings are hidden.

    Where the file may be ``salvageable``, beyond its header and not tried yet, the line says how.
    """
    try:
        with _quiet_pillow():
            yield
    except RelumeError:
        raise
    except MemoryError as error:
        raise _too_little_memory(path) from error
    except DecompressionBombError as error:  # a GIF, or a frame of one that is larger than the GIF
        allowed = f"up to {_LARGEST_GIF:,} pixels in a GIF, whatever --max-pixels says"
        raise InputError(f"{path} is too large", allowed=allowed, hint="convert it to PNG") from error
    except Exception as error:  # decoders raise anything: SyntaxError, IndexError, pyvips.Error, …
        lines = dict.fromkeys(str(getattr(error, "detail", error)).splitlines())  # libvips repeats itself
        reason = " ".join(" ".join(lines).split()) or type(error).__name__
        advised = salvageable and format in _SALVAGEABLE
        hint = "--salvage of upscale and deblur uses what can be decoded" if advised else None
        found = f"a damaged {format} file ({shorten(reason, 200, placeholder=' …')})"
        raise InputError(f"cannot read {path}", got=found, hint=hint) from error


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
