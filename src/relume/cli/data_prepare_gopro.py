"""Lay out the GOPRO dataset as pairs to train deblurring on: train|test/A (blurred) and B (sharp).

    relume data prepare-gopro GOPRO_Large/ gopro/
    relume train deblurgan --data gopro/train

What is there already stays: an interrupted preparation goes on where it stopped.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Literal

from relume.cli.extras import extra
from relume.cli.progress import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("source", type=Path, metavar="SRC", help="the unpacked GOPRO_Large folder")
    add("target", type=Path, metavar="DEST", help="folder for the pairs; made if missing")
    add(
        "--blur",
        choices=("blur", "blur_gamma"),
        default="blur",
        help="frames averaged as they are (the default) or as light",
    )
    add("--copy", action="store_true", help="copy the files, where hard links would save the space")


def run(source: Path, target: Path, blur: Literal["blur", "blur_gamma"], copy: bool) -> int:
    """Do it; see the module's text."""
    with extra("train"):
        from relume.data.gopro import prepare_gopro

    with progress_bar() as advance:
        found = prepare_gopro(
            source, target, blur=blur, copy=copy, progress=lambda done, total: advance(done, total, "frames")
        )
    for part, num_pairs in found.items():
        print(f"{target / part}: {num_pairs} pairs")
    return 0
