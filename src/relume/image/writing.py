"""Writing picture files, whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from relume.errors import OutOfMemory, OutputError, RelumeError
from relume.files import replacing
from relume.image import pil, png, tiff
from relume.image.colour import convert_to_srgb
from relume.image.exif import resized, resized_xmp
from relume.image.picture import Metadata, Picture
from relume.image.transparency import flatten

WRITABLE_FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    **({"AVIF": (".avif",)} if AvifImagePlugin.SUPPORTED else {}),
}
"""Formats and the suffixes that choose them; the first one is the usual one."""


class SaveOptions(TypedDict, total=False):
    """Options of single formats, named as in Pillow; others ignore them.

    Attributes:
        quality: 0 to 100 for JPEG (default 95), WebP (95) and AVIF (90).
        subsampling: chroma of JPEG (default 0, that is 4:4:4) and AVIF (``"4:4:4"``).
        progressive: JPEG that comes in passes.
        optimize: search the smallest encoding of JPEG or PNG.
        lossless: WebP without loss.
        method: effort of WebP, 0 to 6 (default 4).
        speed: of AVIF, 0 (smallest) to 10 (default 6).
        compress_level: of PNG, 0 to 9 (default 2: photos are 4 % larger than with 6, but five times as fast).
        compression: of TIFF, a key of :data:`relume.image.tiff.COMPRESSIONS` (``tiff_adobe_deflate``).
    """

    quality: int
    subsampling: int | str
    progressive: bool
    optimize: bool
    lossless: bool
    method: int
    speed: int
    compress_level: int
    compression: str


_DEFAULTS: Final[dict[str, SaveOptions]] = {
    "PNG": {"compress_level": 2},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 4},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "BMP": {},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 6},
}
_DEEP: Final = {"PNG", "TIFF"}  # hold 16 bits
_OPAQUE: Final = {"JPEG", "BMP"}
_WITHOUT_GREY: Final = {"WEBP", "AVIF"}
_LONGEST_SIDE: Final = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535}
_LARGEST_SEGMENT: Final = 65000  # bytes of EXIF or XMP that go into one segment of a JPEG


def write_picture(
    picture: Picture,
    path: str | Path,
    *,
    format: str | None = None,
    background: str | tuple[int, int, int] = "white",
    **options: Unpack[SaveOptions],
) -> None:
    """Write a picture with its EXIF, colour profile, XMP and resolution, as far as the format holds them.

    Grey pictures are written with one channel (WebP and AVIF have none: three equal ones, in sRGB if there is
    a grey profile). 16 bits a channel are kept in PNG and TIFF and rounded to 8 elsewhere. JPEG and BMP
    have no transparency: the picture is laid over ``background``. BMP holds no metadata but the resolution.

    Args:
        picture: what to write; EXIF and XMP get its size, an EXIF thumbnail is dropped (it would be stale).
        path: where; the file appears when it is complete.
        format: a key of :data:`WRITABLE_FORMATS` in any case, or a suffix; by ``path`` unless given.
        background: behind transparent parts, for formats without transparency; a colour as Pillow names them.
        **options: see :class:`SaveOptions`.

    Raises:
        OutputError: if the format is unknown or cannot hold this size, or the file cannot be written.
    """
    path = Path(path)
    format = format_for(path, format)
    longest = _LONGEST_SIDE.get(format)
    if longest and max(picture.height, picture.width) > longest:
        raise OutputError(
            f"cannot write {path}",
            got=f"{picture.width} × {picture.height} pixels",
            allowed=f"up to {longest} a side in {format}",
            hint="choose PNG or TIFF",
        )
    if picture.alpha is not None and format in _OPAQUE:
        picture = picture.replace(pixels=flatten(picture.pixels, picture.alpha, background), alpha=None)
    deep = picture.bits == 16 and format in _DEEP
    with replacing(path) as temporary, _encoding(path):
        levels = pil.levels_for(picture, np.uint16 if deep else np.uint8)
        _encode(levels, _settled(picture), temporary, format, {**_DEFAULTS[format], **options})


def format_for(path: Path, format: str | None) -> str:
    """The key of :data:`WRITABLE_FORMATS` that a name or else a path's suffix means.

    Raises:
        OutputError: if there is none.
    """
    suffix = f".{format.lower().removeprefix('.')}" if format else path.suffix.lower()
    for name, suffixes in WRITABLE_FORMATS.items():
        if suffix in suffixes or suffix[1:].upper() == name:
            return name
    raise OutputError(f"cannot write {path}", got=f"format {suffix or 'unknown'}", allowed=WRITABLE_FORMATS)


def _settled(picture: Picture) -> Metadata:
    """The metadata as they are for this size."""
    width, height = picture.width, picture.height
    return Metadata(
        exif=picture.exif and resized(picture.exif, width, height),
        icc=picture.icc,
        xmp=picture.xmp and resized_xmp(picture.xmp, width, height),
        dpi=picture.dpi,
        text=picture.text,
    )


def _encode(levels: NDArray[Any], metadata: Metadata, path: Path, format: str, options: SaveOptions) -> None:
    if format == "TIFF":
        tiff.write_tiff(levels, metadata, path, compression=options.get("compression", "raw"))
    elif levels.dtype == np.uint16:
        with path.open("wb") as file:
            png.write_png(levels, metadata, file, compress_level=options.get("compress_level", 2))
    else:
        image = pil.image_of(levels)
        if format in _WITHOUT_GREY and levels.shape[2] <= 2 and metadata.icc is not None:
            image, metadata = _coloured(image, metadata.icc), replace(metadata, icc=None)
        image.save(path, format, **_pillow_metadata(metadata, format), **options)


def _coloured(image: Image.Image, icc: bytes) -> Image.Image:
    """Grey, through its profile, in sRGB."""
    coloured = convert_to_srgb(image.getchannel(0), icc)
    if image.mode == "LA":
        coloured.putalpha(image.getchannel(1))
    return coloured


def _pillow_metadata(metadata: Metadata, format: str) -> dict[str, Any]:
    """What Pillow takes; a JPEG does without EXIF and XMP that do not fit into a segment."""
    exif, xmp = metadata.exif, metadata.xmp
    if format == "JPEG":
        exif = exif and pil.EXIF_PREFIX + exif
        exif, xmp = (block if block and len(block) <= _LARGEST_SEGMENT else None for block in (exif, xmp))
    dpi = metadata.dpi or ((0, 0) if format == "BMP" else None)  # where Pillow would say 96
    saved: dict[str, Any] = {"exif": exif, "icc_profile": metadata.icc, "xmp": xmp, "dpi": dpi}
    if format == "PNG":
        saved["pnginfo"] = png.text_chunks(metadata)
    return {name: value for name, value in saved.items() if value is not None}


@contextmanager
def _encoding(path: Path) -> Generator[None]:
    """Whatever an encoder raises becomes one line; it may complain of options in many ways."""
    try:
        yield
    except (RelumeError, OSError):
        raise
    except MemoryError as error:
        raise OutOfMemory(f"not enough memory to write {path}", hint="choose a smaller scale") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OutputError(f"cannot write {path}", got=reason[:200]) from error
