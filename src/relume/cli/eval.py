"""Score models, and bicubic beside them, on pictures whose truth is known.

    relume eval compact-small-x4 srresnet-x4 --data Set5 Set14 --protocol matlab
    relume eval --data Set5 --report page/                 every model that comes with relume, side by side
    relume eval deblur.onnx --data gopro/test --size 640x360

First its own bicubic scores are compared with published ones: if they are off, nothing is reported.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from relume.cli.progress import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add(
        "models",
        nargs="*",
        metavar="MODEL",
        help="names or files of models (default: all that come with relume, of --scale)",
    )
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
        help="matlab (as papers do; the default), skimage7, daala, rgb (the default at scale 1)",
    )
    add(
        "--measures",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="psnr ssim (the default); niqe consistency drift checkerboard (with --report too); vgg19 lpips",
    )
    add("--niqe", type=Path, metavar="FILE", help="parameters for niqe, from relume data fit-niqe")
    add("-s", "--scale", type=int, help="scale to measure at (default: the models', or 4)")
    add("--size", type=_size, metavar="WxH", help="reduce pairs at scale 1, such as 640x360")
    add("--json", type=Path, metavar="FILE", help="write the numbers")
    add("--markdown", type=Path, metavar="FILE", help="write the table")
    add("--report", type=Path, metavar="DIR", help="write a page with pictures side by side")
    add("-g", "--device", default="auto", help="where to run: auto, cpu, cuda, ...")


def run(
    models: list[str],
    data: list[Path],
    protocol: list[str] | None,
    measures: list[str] | None,
    niqe: Path | None,
    scale: int | None,
    size: tuple[int, int] | None,
    json: Path | None,
    markdown: Path | None,
    report: Path | None,
    device: str,
) -> int:
    """Do it; see the module's text."""
    from rich.console import Console

    from relume.evaluate import common_scale, evaluate, shipped_models
    from relume.evaluate.measures import DEFAULT, cheap_measures
    from relume.files import make_folder, refuse_unwritable, replacing
    from relume.metrics.niqe import SHIPPED

    for path in filter(None, (json, markdown)):
        refuse_unwritable(path)
    if report:
        refuse_unwritable(make_folder(report) / "report.html")
    scale = common_scale(models, scale)
    with progress_bar() as advance:
        found = evaluate(
            models or shipped_models(scale),
            data,
            protocol or (),
            measures or (cheap_measures(scale) if report else DEFAULT),
            device=device,
            scale=scale,
            size=size,
            niqe_parameters=niqe or SHIPPED,
            progress=advance,
        )
    Console(width=None if sys.stdout.isatty() else 160).print(found.table())
    for path, text in ((json, found.to_json()), (markdown, found.to_markdown())):
        if path:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
    if report:
        print(found.write_html(report))
    return 0


def _size(text: str) -> tuple[int, int]:
    """``640x360`` -> (640, 360)."""
    width, separator, height = text.lower().replace("×", "x").partition("x")
    if not (separator and width.isdecimal() and height.isdecimal() and int(width) * int(height)):
        raise ArgumentTypeError(f"{text!r} is no size such as 640x360")
    return int(width), int(height)
