"""Enlarge pictures.

    relume upscale photo.jpg              writes photo-x4.png beside it
    relume upscale photos/ -o large/      a folder with all below
    relume upscale photo.jpg --width 3840

Metadata, colour profile, transparency and bit depth are kept. A result replaces an older file of that name,
but never an input. One bad picture of several does not stop the others: the exit code is then 1.
"""

import json as json_module
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relume.cli.failures import complain, printable, told
from relume.cli.progress import progress_bar
from relume.errors import OutputError, UsageError
from relume.jobs.batch import Done, Failed, restore_files
from relume.jobs.files import find_pictures, plan_jobs

if TYPE_CHECKING:
    from relume.engine.restore import Progress
    from relume.image import Picture

DEVICE_NUMBERS = {"-1": "cpu", "0": "cuda"}
"""Devices as other programs number them."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes; hidden names are those of Real-ESRGAN's programs."""
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="pictures, folders (with all below) or patterns")
    add("-i", "--input", nargs="+", default=[], action="extend", dest="more_inputs", help=SUPPRESS)
    add("-o", "--output", metavar="PATH", help="file or folder (default: beside the input)")
    add("-s", "--scale", type=float, help="any factor, 2.5 too (default: the model's)")
    add("--outscale", type=float, dest="scale", default=SUPPRESS, help=SUPPRESS)
    add("-n", "--model", help="name, see relume models, or file of a model")
    add("--model_name", dest="model", default=SUPPRESS, help=SUPPRESS)
    add("-t", "--tile", type=int, default=0, metavar="PX", help="side of the tiles; 0: by free memory")
    add("-g", "--device", default="auto", help="where to run: auto, cpu, cuda, openvino, onnxruntime, ...")
    add("--gpu-id", dest="device", default=SUPPRESS, help=SUPPRESS)
    add("-f", "--format", help="png, jpg, webp, tif, ... (default: the input's, or png if that loses)")
    add("--ext", dest="format", default=SUPPRESS, help=SUPPRESS)
    add("--width", type=int, metavar="PX", help="width of the result")
    add("--height", type=int, metavar="PX", help="height of the result")
    add("--suffix", metavar="TEXT", help="what names of results end in (default: -x4 at scale 4)")
    add("--json", action="store_true", help="print one JSON object a picture")


def run(
    inputs: list[str],
    more_inputs: list[str],
    output: str | None,
    scale: float | None,
    model: str | None,
    tile: int,
    device: str,
    format: str | None,
    width: int | None,
    height: int | None,
    suffix: str | None,
    json: bool,
) -> int:
    """Do it; see the module's text."""
    from relume.engine.restore import target_size
    from relume.image import READABLE_SUFFIXES
    from relume.model import open_model
    from relume.zoo import DEFAULT_MODEL, find_model

    if not inputs + more_inputs:
        raise UsageError("no picture is given", hint="for example: relume upscale photo.jpg")
    if tile < 0:
        raise UsageError(
            "the side of the tiles is negative", got=tile, allowed="0 to choose it by free memory, or more"
        )
    if suffix and Path(suffix).name != suffix:
        raise UsageError("--suffix is no part of a file name", got=suffix, hint="choose a folder with -o")
    format = None if format == "auto" else format
    chosen = find_model(model or DEFAULT_MODEL, scale)
    target_size(1, 1, chosen.card.scale, scale, width, height)  # refuses what no picture could be given
    factor = None if width or height else scale or chosen.card.scale
    jobs = plan_jobs(
        find_pictures([*inputs, *more_inputs], READABLE_SUFFIXES),
        output,
        ending=_ending(factor, width, height) if suffix is None else suffix,
        suffix_for=partial(_result_suffix, format),
    )
    if any(_format_of(job.target) != _format_of(job.target, format) for job in jobs):
        raise UsageError(f"-o {output} and -f {format} disagree", hint="leave one of them out")
    with open_model(str(chosen.path), device=DEVICE_NUMBERS.get(device, device)) as opened:

        def restore(picture: "Picture", progress: "Progress") -> "Picture":
            return opened.restore_picture(
                picture, scale=scale, width=width, height=height, tile=tile, progress=progress
            )

        with progress_bar() as advance:
            failures = _told(restore_files(jobs, restore, advance), chosen.card.name, factor, json)
    return _exit_code(failures, len(jobs))


def _told(outcomes: Iterator[Done | Failed], model: str, factor: float | None, json: bool) -> list[Failed]:
    """Tell every outcome as it comes; return the failures."""
    failures: list[Failed] = []
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            failures.append(outcome)
        if json:
            print(_json_line(outcome, model, factor), flush=True)
        elif isinstance(outcome, Done) and sys.stdout.isatty():
            size = f"{outcome.width}×{outcome.height}"
            print(printable(f"{outcome.job.source} → {outcome.job.target} ({size}, {outcome.seconds:.1f} s)"))
    return failures


def _json_line(outcome: Done | Failed, model: str, factor: float | None) -> str:
    line: dict[str, object] = {
        "input": str(outcome.job.source),
        "output": str(outcome.job.target),
        "model": model,
    }
    if isinstance(outcome, Failed):
        line["error"] = told(outcome.error)
    else:
        line |= {key: value for key, value in asdict(outcome).items() if key != "job"}
        line["scale"] = factor or outcome.scale
    return json_module.dumps(line)


def _exit_code(failures: list[Failed], num_jobs: int) -> int:
    """List what failed. A single picture's failure has its own code."""
    codes = [complain(failure.error, failure.job.source) for failure in failures]
    if codes and num_jobs > 1:
        print(f"relume: {len(codes)} of {num_jobs} pictures failed", file=sys.stderr)
        return 1
    return codes[0] if codes else 0


def _result_suffix(format: str | None, suffix: str) -> str:
    """The suffix of a result, for that of its picture: the asked format, or else one without loss."""
    from relume.image import WRITABLE_FORMATS

    if format:
        return WRITABLE_FORMATS[_format_of(Path("the result"), format)][0]
    lossless = (*WRITABLE_FORMATS["PNG"], *WRITABLE_FORMATS["TIFF"], *WRITABLE_FORMATS["BMP"])
    return suffix if suffix in lossless else ".png"


def _format_of(target: Path, format: str | None = None) -> str:
    """The format that is asked, or else that the file's suffix means."""
    from relume.image.writing import format_for

    try:
        return format_for(target, format)
    except OutputError as error:
        raise UsageError(error.what, got=error.got, allowed=error.allowed) from error


def _ending(factor: float | None, width: int | None, height: int | None) -> str:
    """What names of results end in: -x4, or for a size in pixels -1920w, -1080h or -1920x1080."""
    if factor:
        return f"-x{factor:g}"
    if width and height:
        return f"-{width}x{height}"
    return f"-{width}w" if width else f"-{height}h"
