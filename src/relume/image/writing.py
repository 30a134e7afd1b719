"""Writing picture files, whole or not at all."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from relume.errors import OutOfMemory, OutputError, RelumeError
from relume.files import replacing
from relume.image import pil, png, tiff
from relume.image.colour import convert_to_srgb
from relume.image.exif import has_thumbnail, resized, with_thumbnail
from relume.image.iptc import segment_of
from relume.image.levels import to_levels
from relume.image.picture import Levels, Metadata, Picture, Strips
from relume.image.spool import Spool
from relume.image.thumbnails import thumbnail_of
from relume.image.transparency import flatten
from relume.image.xmp import LARGEST_PACKET, resized_xmp, split

WRITABLE_FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
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


DEFAULTS: Final[dict[str, SaveOptions]] = {
    "PNG": {"compress_level": 2},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 4},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "BMP": {},
    "GIF": {},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 6},
}
_COMMENTED: Final = {"JPEG", "GIF"}
_DEEP: Final = {"PNG", "TIFF"}  # hold 16 bits
_OPAQUE: Final = {"JPEG", "BMP"}
_WITHOUT_GREY: Final = {"WEBP", "AVIF"}
_LONGEST_SIDE: Final = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535, "GIF": 65535}
_LARGEST_SEGMENT: Final = 65000  # bytes of EXIF or a comment that go into one segment of a JPEG


def write_picture(
    picture: Picture | Levels | Strips,
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
    A map of what was invented is written beside it, as ``<name>-invented.png``.

    Pictures in strips go to the disk first, and from there in pieces into PNG and TIFF; all other formats
    are encoded from whole pictures, so that these need memory for 3 or 4 bytes a pixel.

    Args:
        picture: what to write; EXIF and XMP get its size, and where there was a thumbnail
            in EXIF a new one (AVIF may lose it, TIFF has none).
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
    with _rows_of(picture, path, format, background) as (head, levels, invented):
        with replacing(path) as temporary, encoding(path):
            metadata = settled(head, levels)
            _encode(levels, metadata, temporary, format, {**DEFAULTS[format], **options})
        if invented is not None:
            map_path = path.with_name(f"{path.stem}-invented.png")
            with replacing(map_path) as temporary, encoding(map_path):
                _encode(invented, Metadata(), temporary, "PNG", DEFAULTS["PNG"])


def _require_space(needed: int, path: Path) -> None:
    """Refuse before hours of work what cannot be kept while it is made."""
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise OutputError(
            f"there is too little disk for {path}",
            got=f"{needed / 2**30:.1f} GiB needed while it is made, {free / 2**30:.1f} GiB free",
            hint="choose another place with -o, or ask for a smaller size",
        )


@contextmanager
def _rows_of(
    picture: Picture | Levels | Strips, path: Path, format: str, background: str | tuple[int, int, int]
) -> Generator[tuple[Metadata, NDArray[Any], NDArray[Any] | None]]:
    """The metadata, the levels as they are written, and those of the map of what was invented."""
    if not isinstance(picture, Strips):
        levels = _levels_for(picture, format, background)
        yield picture, levels, _map_levels(picture)
        return
    with Spool(path) as spool, Spool(path) as map_spool:
        head, has_map = None, False
        for part in picture.parts:
            with encoding(path):
                levels = _levels_for(part, format, background)
                if head is None:
                    head = part.metadata()
                    _require_space(levels[0].nbytes * picture.height, path)
                spool.append(levels)
                if (map_levels := _map_levels(part)) is not None:
                    has_map = True
                    map_spool.append(map_levels)
            del part, levels  # or they stay while the next one is made
        assert head is not None
        yield head, spool.levels(), map_spool.levels() if has_map else None


def _levels_for(
    picture: Picture | Levels, format: str, background: str | tuple[int, int, int]
) -> NDArray[Any]:
    if isinstance(picture, Levels):
        return picture.levels
    if picture.alpha is not None and format in _OPAQUE:
        picture = picture.replace(pixels=flatten(picture.pixels, picture.alpha, background), alpha=None)
    deep = picture.bits == 16 and format in _DEEP
    return pil.levels_for(picture, np.uint16 if deep else np.uint8)


def _map_levels(picture: Picture | Levels) -> NDArray[Any] | None:
    if isinstance(picture, Levels) or picture.invented is None:
        return None
    return to_levels(picture.invented[..., None], np.uint8)


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


def settled(picture: Metadata, levels: NDArray[Any]) -> Metadata:
    """The metadata as they are for these HWC levels."""
    height, width = levels.shape[:2]
    return Metadata(
        exif=picture.exif and _exif_for(picture.exif, levels),
        icc=picture.icc,
        xmp=picture.xmp and resized_xmp(picture.xmp, width, height),
        iptc=picture.iptc,
        dpi=picture.dpi,
        text=picture.text,
    )


def _exif_for(exif: bytes, levels: NDArray[Any]) -> bytes | None:
    """With their size, and their thumbnail if there was one and it does not make the block too large."""
    block = resized(exif, levels.shape[1], levels.shape[0])
    if block is None or not has_thumbnail(exif):
        return block
    complete = with_thumbnail(block, thumbnail_of(levels))
    return complete if len(complete) <= _LARGEST_SEGMENT else block


def _encode(levels: NDArray[Any], metadata: Metadata, path: Path, format: str, options: SaveOptions) -> None:
    if format == "TIFF":
        tiff.write_tiff(levels, metadata, path, compression=options.get("compression", "raw"))
    elif format == "PNG" and (levels.dtype == np.uint16 or isinstance(levels, np.memmap)):
        with path.open("wb") as file:
            png.write_png(levels, metadata, file, compress_level=options.get("compress_level", 2))
    else:
        image = pil.image_of(levels)
        if format in _WITHOUT_GREY and levels.shape[2] <= 2 and metadata.icc is not None:
            image, metadata = _coloured(image, metadata.icc), replace(metadata, icc=None)
        image.save(path, format, **pillow_metadata(metadata, format), **options)


def _coloured(image: Image.Image, icc: bytes) -> Image.Image:
    """Grey, through its profile, in sRGB."""
    coloured = convert_to_srgb(image.getchannel(0), icc)
    if image.mode == "LA":
        coloured.putalpha(image.getchannel(1))
    return coloured


def pillow_metadata(metadata: Metadata, format: str) -> dict[str, Any]:
    """What Pillow takes."""
    dpi = metadata.dpi or ((0, 0) if format == "BMP" else None)  # where Pillow would say 96
    saved: dict[str, Any] = {
        "exif": metadata.exif,
        "icc_profile": metadata.icc,
        "xmp": metadata.xmp,
        "dpi": dpi,
    }
    if format == "PNG":
        saved["pnginfo"] = png.text_chunks(metadata)
    if format == "JPEG":
        saved |= _jpeg_metadata(metadata)
    if format in _COMMENTED and pil.COMMENT in metadata.text:
        saved["comment"] = metadata.text[pil.COMMENT].encode()[:_LARGEST_SEGMENT]
    return {name: value for name, value in saved.items() if value is not None}


def _jpeg_metadata(metadata: Metadata) -> dict[str, Any]:
    """A JPEG does without EXIF that does not fit into a segment; XMP goes into several, IPTC into one."""
    exif, xmp = metadata.exif, metadata.xmp
    extra = segment_of(metadata.iptc) if metadata.iptc else b""
    if xmp and len(xmp) > LARGEST_PACKET:
        xmp, segments = split(xmp)
        extra += segments
    fits = exif is not None and len(exif) <= _LARGEST_SEGMENT
    return {"exif": pil.EXIF_PREFIX + exif if exif and fits else None, "xmp": xmp, "extra": extra}


@contextmanager
def encoding(path: Path) -> Generator[None]:
    """Whatever an encoder raises becomes one line; it may complain of options in many ways."""
    try:
        yield
    except (RelumeError, OSError):
        raise
    except MemoryError as error:
        raise OutOfMemory(f"not enough memory to write {path}", hint="choose a smaller scale") from error
    except Exception as error:
        reason = " ".join(str(getattr(error, "detail", error)).split()) or type(error).__name__
        found = shorten(reason, 200, placeholder=" …")
        raise OutputError(f"cannot write {path}", got=found) from error
