"""Score models, and bicubic beside them, on pictures whose truth is known: PSNR, SSIM and time.

    relume eval compact-small-x4 srresnet-x4 --data Set5 Set14 --protocol matlab

First its own bicubic scores are compared with published ones: if they are off, nothing is reported.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from relume.cli.progress import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("models", nargs="+", metavar="MODEL", help="names or files of models")
    add(
        "--data",
        nargs="+",
        action="extend",
        required=True,
        type=Path,
        metavar="DIR",
        help="folders of sharp pictures, or of pairs: A degraded, B sharp",
    )
    add(
        "--protocol",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="matlab (as papers do; the default), skimage7, daala, rgb",
    )
    add("-s", "--scale", type=int, help="scale to measure at (default: the models')")
    add("--json", type=Path, metavar="FILE", help="write the numbers")
    add("--markdown", type=Path, metavar="FILE", help="write the table")
    add("--report", type=Path, metavar="DIR", help="write a page with pictures side by side")
    add("-g", "--device", default="auto", help="where to run: auto, cpu, cuda, ...")


def run(
    models: list[str],
    data: list[Path],
    protocol: list[str] | None,
    scale: int | None,
    json: Path | None,
    markdown: Path | None,
    report: Path | None,
    device: str,
) -> int:
    """Do it; see the module's text."""
    from rich.console import Console

    from relume.evaluate import evaluate
    from relume.files import replacing

    with progress_bar() as advance:
        found = evaluate(models, data, protocol or ["matlab"], device=device, scale=scale, progress=advance)
    Console(width=None if sys.stdout.isatty() else 160).print(found.table())
    for path, text in ((json, found.to_json()), (markdown, found.to_markdown())):
        if path:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
    if report:
        print(found.write_html(report))
    return 0
