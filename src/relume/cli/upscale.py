"""Enlarge pictures.

    relume upscale photo.jpg              writes photo-x4.png beside it
    relume upscale photos/ -o large/      a folder with all below
    relume upscale photo.jpg --width 3840
    relume upscale photo.jpg -n srgan     writes photo-srgan-x4.png

Metadata, colour profile, transparency and bit depth are kept. A result replaces an older file of that name,
but never an input. One bad picture of several does not stop the others: the exit code is then 1.
"""

from argparse import SUPPRESS, ArgumentParser
from typing import Unpack

from relume.cli import restore
from relume.cli.numbers import Numbers


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    restore.add_arguments(parser, ending="-x4 at scale 4")
    add = parser.add_argument
    add(
        "-s",
        "--scale",
        type=Numbers(float, 0.01, 100),
        help="any factor up to 100, 2.5 too (default: the model's)",
    )
    add("--outscale", type=Numbers(float, 0.01, 100), dest="scale", default=SUPPRESS, help=SUPPRESS)
    add("--width", type=Numbers(int, 1), metavar="PX", help="width of the result")
    add("--height", type=Numbers(int, 1), metavar="PX", help="height of the result")


def run(
    scale: float | None, width: int | None, height: int | None, **options: Unpack[restore.Options]
) -> int:
    """Do it; see the module's text."""
    return restore.restore(
        "upscale",
        {"scale": scale, "width": width, "height": height},
        options,
    )
