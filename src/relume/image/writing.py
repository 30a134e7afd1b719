"""Writing picture files, whole or not at all."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import shorten
from typing import Any, BinaryIO, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from relume.errors import OutOfMemory, OutputError, RelumeError
from relume.files import refuse_unwritable, replacing
from relume.image import pil, png, tiff
from relume.image.colour import convert_to_srgb
from relume.image.encoder import LevelStrips
from relume.image.iptc import segment_of
from relume.image.levels import to_levels
from relume.image.metadata import LARGEST_SEGMENT, settled
from relume.image.picture import Levels, Metadata, Picture, Strips
from relume.image.transparency import flatten
from relume.image.xmp import LARGEST_PACKET, split
from relume.machine import free_ram

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
_ROWWISE: Final = {"PNG", "TIFF"}
_ENCODED_BYTES: Final = 4  # a pixel of a picture that is encoded as a whole
_OPAQUE: Final = {"JPEG", "BMP"}
_WITHOUT_GREY: Final = {"WEBP", "AVIF"}
_LONGEST_SIDE: Final = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535, "GIF": 65535}
_HIGHEST_COMPRESSION: Final = 20  # of anything but flat colour


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
    A map of what was invented is written beside it, as ``<name>-invented.png``, with its
    XMP, which says that relume made it.

    Pictures in strips go into PNG and TIFF strip by strip, as they are made; all other formats are encoded
    from whole pictures, so that these need memory for 4 bytes a pixel.

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
    refuse_size(path, picture.height, picture.width, format)
    chosen: SaveOptions = {**DEFAULTS[format], **options}
    levels_of = partial(_levels_for, format=format, background=background)
    if isinstance(picture, Strips):
        _write_strips(picture, levels_of, path, format, chosen)
        return
    levels = levels_of(picture)
    _write(levels, settled(picture, picture.height, picture.width, levels), path, format, chosen)
    if (map_levels := _map_levels(picture)) is not None:
        _write(map_levels, Metadata(xmp=picture.xmp), _map_path(path), "PNG", DEFAULTS["PNG"])


def refuse_size(path: Path, height: int, width: int, format: str | None = None) -> None:
    """Find out before long work that the format could not hold its result.

    Raises:
        OutputError: if the format is unknown or cannot hold this size.
        OutOfMemory: if it is encoded as a whole, and that does not fit.
    """
    format = format_for(path, format)
    longest = _LONGEST_SIDE.get(format)
    if longest and max(height, width) > longest:
        raise OutputError(
            f"cannot write {path}",
            got=f"{width} × {height} pixels",
            allowed=f"up to {longest} a side in {format}",
            hint="choose PNG or TIFF",
        )
    needed, free = _ENCODED_BYTES * height * width, free_ram()
    if format not in _ROWWISE and needed > free:
        raise OutOfMemory(
            f"the {format} of {width} × {height} pixels does not fit into memory",
            got=f"{needed / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free",
            hint="choose PNG or TIFF, which are written row by row",
        )


def _write_strips(
    strips: Strips,
    levels_of: Callable[[Picture | Levels], NDArray[Any]],
    path: Path,
    format: str,
    options: SaveOptions,
) -> None:
    refuse_unwritable(path)
    with TemporaryFile(dir=path.parent) as map_file, encoding(path):
        head, levels = _level_strips(strips, levels_of, map_file)
        _require_space(levels.nbytes, path)
        small = None if strips.small is None else pil.levels_for(strips.small, np.uint8)
        _write(levels, settled(head, strips.height, strips.width, small), path, format, options)
        if map_file.tell():
            _write(
                _rows_in(map_file, strips), Metadata(xmp=head.xmp), _map_path(path), "PNG", DEFAULTS["PNG"]
            )


def _write(
    levels: NDArray[Any] | LevelStrips, metadata: Metadata, path: Path, format: str, options: SaveOptions
) -> None:
    with replacing(path) as temporary, encoding(path):
        _encode(levels, metadata, temporary, format, options)


def _require_space(num_bytes: int, path: Path) -> None:
    """Refuse before hours of work what cannot fit on the disk."""
    least, free = num_bytes // _HIGHEST_COMPRESSION, shutil.disk_usage(path.parent).free
    if least > free:
        raise OutputError(
            f"there is too little disk for {path}",
            got=f"{least / 2**30:.1f} GiB needed at the very least, {free / 2**30:.1f} GiB free",
            hint="choose another place with -o, or ask for a smaller size",
        )


def _level_strips(
    strips: Strips, levels_of: Callable[[Picture | Levels], NDArray[Any]], map_file: BinaryIO
) -> tuple[Metadata, LevelStrips]:
    """The metadata, and levels as they are made; maps of what was invented are put into a file meanwhile."""

    def made(part: Picture | Levels) -> NDArray[Any]:
        if (map_levels := _map_levels(part)) is not None:
            map_file.write(map_levels.data)
        return levels_of(part)

    first = next(strips.parts)
    levels = made(first)
    shape = (strips.height, strips.width, levels.shape[2])
    return first.metadata(), LevelStrips(shape, levels.dtype, chain([levels], map(made, strips.parts)))


def _rows_in(file: BinaryIO, like: Strips) -> LevelStrips:
    """Grey levels that lie in a file."""
    file.seek(0)
    rows = (np.frombuffer(file.read(like.width), np.uint8) for _ in range(like.height))
    return LevelStrips((like.height, like.width, 1), np.uint8, rows)


def _map_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-invented.png")


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


def _encode(
    levels: NDArray[Any] | LevelStrips, metadata: Metadata, path: Path, format: str, options: SaveOptions
) -> None:
    if format == "TIFF":
        tiff.write_tiff(levels, metadata, path, compression=options.get("compression", "raw"))
    elif format == "PNG" and (levels.dtype == np.uint16 or isinstance(levels, LevelStrips)):
        with path.open("wb") as file:
            png.write_png(levels, metadata, file, compress_level=options.get("compress_level", 2))
    else:
        image = _assembled(levels) if isinstance(levels, LevelStrips) else pil.image_of(levels)
        if format in _WITHOUT_GREY and levels.shape[2] <= 2 and metadata.icc is not None:
            image, metadata = _coloured(image, metadata.icc), replace(metadata, icc=None)
        image.save(path, format, **pillow_metadata(metadata, format), **options)


def _assembled(levels: LevelStrips) -> Image.Image:
    height, width, channels = levels.shape
    image, top = Image.new(("L", "LA", "RGB", "RGBA")[channels - 1], (width, height)), 0
    for part in levels.parts:
        image.paste(pil.image_of(part), (0, top))
        top += len(part)
    return image


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
        saved["comment"] = metadata.text[pil.COMMENT].encode()[:LARGEST_SEGMENT]
    return {name: value for name, value in saved.items() if value is not None}


def _jpeg_metadata(metadata: Metadata) -> dict[str, Any]:
    """A JPEG does without EXIF that does not fit into a segment; XMP goes into several, IPTC into one."""
    exif, xmp = metadata.exif, metadata.xmp
    extra = segment_of(metadata.iptc) if metadata.iptc else b""
    if xmp and len(xmp) > LARGEST_PACKET:
        xmp, segments = split(xmp)
        extra += segments
    fits = exif is not None and len(exif) <= LARGEST_SEGMENT
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
