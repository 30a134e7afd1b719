"""Score models, and bicubic beside them, on pictures whose truth is known.

    relume eval compact-small-x4 srresnet-x4 --data Set5 Set14 --protocol matlab
    relume eval --data Set5 --report page/                 every model that comes with relume, side by side
    relume eval deblur.onnx --data gopro/test --size 640x360
    relume eval compact-small-x4 --data clip.mp4 --measures flicker     clips as they are, without a truth

On pictures, first its own bicubic scores are compared with published ones: if they are off, nothing is
reported.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from relume.cli import devices
from relume.cli.film import need_video
from relume.cli.film_places import SUFFIXES
from relume.cli.numbers import Numbers
from relume.cli.progress import progress_bar
from relume.errors import UsageError

if TYPE_CHECKING:
    from relume.evaluate import Report
    from relume.evaluate.clipreport import ClipReport


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
        metavar="DATA",
        help="folders of sharp pictures, or of pairs: A degraded, B sharp; "
        "for flicker: clips, or folders of them",
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
        help="psnr ssim (the default); niqe consistency drift checkerboard (with --report too); vgg19 lpips; "
        "or flicker alone, of clips",
    )
    add(
        "--frames",
        type=Numbers(int, 2),
        metavar="N",
        help="measure flicker on the first N of each clip (default: 25)",
    )
    add("--niqe", type=Path, metavar="FILE", help="parameters for niqe, from relume data fit-niqe")
    add("-s", "--scale", type=Numbers(int, 1), help="scale to measure at (default: the models', or 4)")
    add("--size", type=_Size(), metavar="WxH", help="reduce pairs at scale 1, such as 640x360")
    add("--json", type=Path, metavar="FILE", help="write the numbers")
    add("--markdown", type=Path, metavar="FILE", help="write the table")
    add("--report", type=Path, metavar="DIR", help="write a page with pictures side by side")
    devices.add_argument(parser)


class PictureOptions(TypedDict):
    """What is for pictures alone."""

    protocol: list[str] | None
    niqe: Path | None
    size: tuple[int, int] | None
    report: Path | None


def run(
    models: list[str],
    data: list[Path],
    measures: list[str] | None,
    frames: int | None,
    scale: int | None,
    json: Path | None,
    markdown: Path | None,
    device: str,
    **options: Unpack[PictureOptions],
) -> int:
    """Do it; see the module's text."""
    from rich.console import Console

    from relume.evaluate import Report, common_scale, shipped_models
    from relume.files import refuse_unwritable, write_text

    clips = set(measures or ()) == {"flicker"}
    _refuse(options if clips else {"frames": frames}, "pictures" if clips else "clips and --measures flicker")
    for path in filter(None, (json, markdown)):
        refuse_unwritable(path)
    report = options["report"]
    if report:
        refuse_unwritable(report / "report.html")
    scale = common_scale(models, scale)
    models = models or shipped_models(scale)
    if clips:
        found = _on_clips(models, data, frames, scale, device)
    else:
        found = _on_pictures(models, data, measures, scale, device, options)
    Console(width=None if sys.stdout.isatty() else 160).print(found.table())
    for path, text in ((json, found.to_json()), (markdown, found.to_markdown())):
        if path:
            write_text(path, text)
    if isinstance(found, Report) and report:
        print(found.write_html(report))
    return 0


def _on_pictures(
    models: list[str],
    data: list[Path],
    measures: list[str] | None,
    scale: int,
    device: str,
    options: PictureOptions,
) -> "Report":
    from relume.evaluate import evaluate
    from relume.evaluate.measures import DEFAULT, cheap_measures
    from relume.metrics.niqe import SHIPPED

    with progress_bar() as advance:
        return evaluate(
            models,
            data,
            options["protocol"] or (),
            measures or (cheap_measures(scale) if options["report"] else DEFAULT),
            device=device,
            scale=scale,
            size=options["size"],
            niqe_parameters=options["niqe"] or SHIPPED,
            progress=advance,
        )


def _on_clips(
    models: list[str], data: list[Path], frames: int | None, scale: int, device: str
) -> "ClipReport":
    need_video()
    from relume.evaluate.clips import NUM_FRAMES, evaluate_clips
    from relume.jobs.discovery import find_pictures

    clips = [found.path for name in data for found in find_pictures([name], SUFFIXES).pictures]
    with progress_bar() as advance:
        return evaluate_clips(
            models,
            clips,
            NUM_FRAMES if frames is None else frames,
            device=device,
            scale=scale,
            progress=advance,
        )


def _refuse(options: Mapping[str, Any], what: str) -> None:
    """Make sure that nothing is asked that has no meaning here."""
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"--{name} is for {what}")


class _Size:
    """``640x360`` -> (640, 360)."""

    allowed = "width and height such as 640x360"

    def __call__(self, text: str) -> tuple[int, int]:
        width, _, height = text.lower().replace("×", "x").partition("x")
        if not int(width) > 0 < int(height):
            raise ValueError
        return int(width), int(height)
