"""Lay two pictures of the same thing side by side, as a picture and as a page with a slider.

    relume compare photo.jpg photo-x4.png      writes photo-vs-photo-x4.png and .html

The smaller one is enlarged by bicubic resizing. The page needs no other file: send it to anyone.
"""

import os
from argparse import ArgumentParser
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("left", type=Path, metavar="A", help="a picture")
    add("right", type=Path, metavar="B", help="another one, of the same proportions")
    add("-o", "--output", metavar="NAME", help="write NAME.png and NAME.html, or into the folder NAME/")


def run(left: Path, right: Path, output: str | None) -> int:
    """Do it; see the module's text."""
    from relume.compare import compare

    for path in compare(left, right, _stem(left, right, output)):
        print(path)
    return 0


def _stem(left: Path, right: Path, output: str | None) -> Path:
    """What the results are called, without suffix."""
    name = f"{left.stem}-vs-{right.stem}"
    if output is None:
        return right.with_name(name)
    path = Path(output)
    if output.endswith(("/", os.sep)) or path.is_dir():
        return path / name
    return path.with_suffix("") if path.suffix.lower() in {".png", ".html"} else path
