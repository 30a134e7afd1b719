"""Enlarge pictures.

    relume upscale photo.jpg              writes photo-x4.png beside it
    relume upscale photos/ -o large/      a folder with all below
    relume upscale photo.jpg --width 3840

Metadata, colour profile, transparency and bit depth are kept. A result replaces an older file of that name,
but never an input. One bad picture of several does not stop the others: the exit code is then 1.
"""

from argparse import SUPPRESS, ArgumentParser
from typing import Unpack

from relume.cli import restore


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    restore.add_arguments(parser, ending="-x4 at scale 4")
    add = parser.add_argument
    add("-s", "--scale", type=float, help="any factor, 2.5 too (default: the model's)")
    add("--outscale", type=float, dest="scale", default=SUPPRESS, help=SUPPRESS)
    add("--width", type=int, metavar="PX", help="width of the result")
    add("--height", type=int, metavar="PX", help="height of the result")


def run(
    scale: float | None, width: int | None, height: int | None, **options: Unpack[restore.Options]
) -> int:
    """Do it; see the module's text."""
    return restore.restore(
        "upscale",
        {"scale": scale, "width": width, "height": height},
        lambda card: ending(scale or card.scale, width, height),
        options,
    )


def ending(factor: float, width: int | None, height: int | None) -> str:
    """What names of results end in: -x4, or for a size in pixels -1920w, -1080h or -1920x1080."""
    if width and height:
        return f"-{width}x{height}"
    if width or height:
        return f"-{width}w" if width else f"-{height}h"
    return f"-x{factor:g}"
