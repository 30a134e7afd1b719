"""How results are encoded: options of single formats, named as in Pillow."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from relume.cli.numbers import Numbers
from relume.errors import UsageError

if TYPE_CHECKING:
    from relume.image import SaveOptions

FORMATS = {
    "quality": ("JPEG", "WEBP", "AVIF"),
    "subsampling": ("JPEG", "AVIF"),
    "progressive": ("JPEG",),
    "lossless": ("WEBP",),
    "method": ("WEBP",),
    "speed": ("AVIF",),
    "compress_level": ("PNG",),
    "compression": ("TIFF",),
}
"""Options -> the formats that have them."""

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


class Options(TypedDict):
    """What :func:`add_arguments` declares."""

    quality: int | None
    subsampling: str | None
    progressive: bool
    lossless: bool
    method: int | None
    speed: int | None
    compress_level: int | None
    compression: str | None


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument_group("for single formats").add_argument
    add(
        "--quality",
        type=Numbers(int, 0, 100),
        metavar="0..100",
        help="of JPEG, WebP (default: 95) and AVIF (90)",
    )
    add("--subsampling", choices=SUBSAMPLINGS, help="chroma of JPEG and AVIF (default: 4:4:4)")
    add("--progressive", action="store_true", help="JPEG that comes in passes")
    add("--lossless", action="store_true", help="WebP without loss")
    add("--method", type=Numbers(int, 0, 6), metavar="0..6", help="effort for WebP (default: 4)")
    add("--speed", type=Numbers(int, 0, 10), metavar="0..10", help="of AVIF; 0: smallest file (default: 6)")
    add(
        "--compress-level",
        type=Numbers(int, 0, 9),
        metavar="0..9",
        help="of PNG; 9: smallest file (default: 2)",
    )
    add("--compression", metavar="NAME", help="of TIFF: tiff_adobe_deflate (default), raw, tiff_lzw, ...")


def given(options: Options) -> "SaveOptions":
    """Those that were given.

    Raises:
        UsageError: if a value is not allowed.
    """
    if options["compression"]:
        _check_compression(options["compression"])
    values = ((name, options[name]) for name in FORMATS)
    found: Any = {name: value for name, value in values if value is not None and value is not False}
    return found


def refuse_useless(saving: "SaveOptions", targets: Iterable[Path]) -> None:
    """Make sure that every option means something for one of the results.

    Raises:
        UsageError: if one does not.
    """
    from relume.image.writing import format_for

    formats = {format_for(target, None) for target in targets}
    for name in saving:
        if formats and not formats & {*FORMATS[name]}:
            hint = f"choose a format with -f, for example -f {FORMATS[name][0].lower()}"
            allowed = FORMATS[name]
            raise UsageError(
                f"{_flag(name)} means nothing here", got=", ".join(formats), allowed=allowed, hint=hint
            )


def _check_compression(name: str) -> None:
    from relume.image.tiff import COMPRESSIONS

    if name not in COMPRESSIONS:
        raise UsageError("unknown TIFF compression", got=name, allowed=COMPRESSIONS)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
