"""Look at training data: what cannot be read, is too small or comes twice, and what training will see.

    relume check photos/

The exit code is 1 if some pictures cannot be used, or are among those that --exclude names.
"""

from argparse import ArgumentParser
from pathlib import Path

from relume.cli.extras import extra
from relume.cli.numbers import Numbers


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("data", nargs="+", metavar="DATA", help="folders or lists of pictures")
    add(
        "--crop",
        type=Numbers(int, 1),
        default=96,
        metavar="PX",
        help="side of the training crops (default: 96)",
    )
    add("-s", "--scale", type=Numbers(int, 1), default=4, help="scale to be trained (default: 4)")
    add(
        "--sheet",
        type=Path,
        default=Path("relume-check.png"),
        metavar="FILE",
        help="where to draw random crops, each below its input (default: relume-check.png)",
    )
    add(
        "--exclude",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders or lists of evaluation pictures: tell which training pictures are, or look like, one",
    )


def run(data: list[str], crop: int, scale: int, sheet: Path, exclude: list[str]) -> int:
    """Do it; see the module's text."""
    with extra("train"):
        from relume.data.check import check
    from relume.files import refuse_unwritable

    refuse_unwritable(sheet)
    report = check(data, crop_px=crop, scale=scale, sheet=sheet, exclude=exclude)
    width, height = report.smallest
    print(
        f"{report.num_usable} of {report.num_pictures} pictures can be used: "
        f"{report.megapixels:.1f} megapixels, the smallest {width}×{height}"
    )
    for file, reason in report.unusable.items():
        print(f"  not used: {file}: {reason}")
    for note, files in report.noted.items():
        print(f"  {note}: {len(files)}, such as {files[0]}")
    for file, other in report.repeated.items():
        print(f"  comes more than once: {file}: the same as {other}")
    for file, other in report.excluded.items():
        print(f"  must not be trained on: {file}: {other}")
    print(f"samples: {sheet}")
    return int(bool(report.unusable or report.excluded))
