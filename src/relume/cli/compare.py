"""Lay two pictures of the same thing side by side, as a picture and as a page with a slider.

    relume compare photo.jpg photo-x4.png      writes photo-vs-photo-x4.png and .html

The smaller one is enlarged by bicubic resizing. The page needs no other file: send it to anyone.
"""

from argparse import ArgumentParser
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("left", type=Path, metavar="A", help="a picture")
    add("right", type=Path, metavar="B", help="another one, of the same proportions")
    add("-o", "--output", type=Path, metavar="NAME", help="write NAME.png and NAME.html (default: A-vs-B)")


def run(left: Path, right: Path, output: Path | None) -> int:
    """Do it; see the module's text."""
    from relume.compare import compare

    stem = output or right.with_name(f"{left.stem}-vs-{right.stem}")
    if stem.suffix.lower() in {".png", ".html"}:
        stem = stem.with_suffix("")
    for path in compare(left, right, stem):
        print(path)
    return 0
