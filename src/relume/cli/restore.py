"""What ``relume upscale`` and ``relume deblur`` share: their options, and how they work through pictures."""

import json as json_module
import sys
from argparse import SUPPRESS, ArgumentParser, BooleanOptionalAction
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relume.card import ModelCard, Task
from relume.cli import film
from relume.cli.failures import complain, printable, told
from relume.cli.progress import progress_bar
from relume.errors import OutputError, RelumeError, UsageError
from relume.jobs.batch import Done, Failed, restore_files
from relume.jobs.files import Job, find_pictures, plan_jobs

if TYPE_CHECKING:
    from relume.engine.restore import Progress
    from relume.image import Picture, Strips
    from relume.model import Treatment
    from relume.zoo import ModelFile

DEVICE_NUMBERS = {"-1": "cpu", "0": "cuda"}
"""Devices as other programs number them."""


class Options(film.Options):
    """What :func:`add_arguments` declares."""

    inputs: list[str]
    more_inputs: list[str]
    output: str | None
    model: str | None
    tile: int
    device: str
    format: str | None
    suffix: str | None
    json: bool
    strength: float
    tta: bool
    lock_colours: bool | None
    consistent: bool
    wrap: bool
    show_invented: bool
    provenance: bool


def add_arguments(parser: ArgumentParser, ending: str) -> None:
    """Declare the shared options; hidden names are those of Real-ESRGAN's programs.

    Args:
        parser: of the command.
        ending: what names of results end in by default.
    """
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="pictures, films, folders of pictures, or patterns")
    add("-i", "--input", nargs="+", default=[], action="extend", dest="more_inputs", help=SUPPRESS)
    add("-o", "--output", metavar="PATH", help="file or folder (default: beside the input)")
    add("-n", "--model", help="name, see relume models, or file of a model")
    add("--model_name", dest="model", default=SUPPRESS, help=SUPPRESS)
    add("-t", "--tile", type=int, default=0, metavar="PX", help="side of the tiles; 0: by free memory")
    add("-g", "--device", default="auto", help="where to run: auto, cpu, cuda, openvino, onnxruntime, ...")
    add("--gpu-id", dest="device", default=SUPPRESS, help=SUPPRESS)
    add("-f", "--format", help="png, jpg, webp, tif, ... (default: the input's, or png if that loses)")
    add("--ext", dest="format", default=SUPPRESS, help=SUPPRESS)
    add("--suffix", metavar="TEXT", help=f"what names of results end in (default: {ending})")
    add("--json", action="store_true", help="print one JSON object a picture")
    add("--strength", type=float, default=1.0, metavar="0..1", help="how much of what the model adds is kept")
    add(
        "-x", "--tta", action="store_true", help="mean of eight turned runs: a little better, 8 times as slow"
    )
    add(
        "--lock-colours", action=BooleanOptionalAction, help="keep the picture's colours (default: if needed)"
    )
    add("--consistent", action="store_true", help="make results that, made small again, are the picture")
    add("--wrap", action="store_true", help="seamless textures: go on over the border at the other side")
    add(
        "--show-invented", action="store_true", help="also write a map of what was made up: NAME-invented.png"
    )
    add("--no-provenance", action="store_false", dest="provenance", help="do not note the model in the XMP")
    film.add_arguments(parser)


def restore(task: Task, size: film.Size, ending: Callable[[ModelCard], str], options: Options) -> int:
    """Work through the inputs; return the exit code.

    Args:
        task: what the model must do.
        size: of the results.
        ending: what names of results end in, for the model that is used.
        options: of the command line.
    """
    from relume.engine.restore import target_size
    from relume.model import open_model
    from relume.zoo import default_model, find_model

    _check(task, options)
    chosen = find_model(options["model"] or default_model(task), size.get("scale"), task)
    scale, width, height = (size.get(key) for key in ("scale", "width", "height"))
    target_size(1, 1, chosen.card.scale, scale, width, height)  # refuses what no picture could be given
    if film.are_films([*options["inputs"], *options["more_inputs"]]):
        return _restore_films(chosen, size, ending(chosen.card), options)
    film.refuse_film_options(options)
    jobs, unusable = _plan(ending(chosen.card), options)
    device = DEVICE_NUMBERS.get(options["device"], options["device"])
    with open_model(str(chosen.path), device=device, strength=options["strength"]) as opened:

        def work(picture: "Picture", progress: "Progress") -> "Picture | Strips":
            treatment = _treatment(options)
            treatment["progress"] = progress
            return opened.restore_strips(picture, **size, **treatment)

        factor = None if width or height else scale or chosen.card.scale
        with progress_bar() as advance:
            outcomes = restore_files(jobs, work, advance)
            failures = _told(outcomes, chosen.card.name, factor, options["json"])
    return _exit_code(unusable, failures, len(jobs))


def _treatment(options: Options) -> "Treatment":
    return {
        "tile": options["tile"],
        "ensemble": options["tta"],
        "lock_colours": options["lock_colours"],
        "consistent": options["consistent"],
        "wrap": options["wrap"],
        "show_invented": options["show_invented"],
        "provenance": options["provenance"],
    }


def _restore_films(chosen: "ModelFile", size: film.Size, ending: str, options: Options) -> int:
    """Work through films; one that cannot be used does not stop the others."""
    from relume.model import open_model

    if options["format"]:
        raise UsageError("-f is for pictures", hint="the name that -o gives decides a film's container")
    for name in ("wrap", "show_invented"):
        if options[name]:
            raise UsageError(f"--{name.replace('_', '-')} is for pictures", got="films")
    wishes = film.wishes_of(
        size,
        options,
        tile=options["tile"],
        strength=options["strength"],
        ensemble=options["tta"],
        lock_colours=options["lock_colours"],
        consistent=options["consistent"],
    )
    suffix = options["suffix"]
    inputs = [*options["inputs"], *options["more_inputs"]]
    jobs = film.plan_films(inputs, options["output"], ending if suffix is None else suffix, wishes.codec)
    device, failures = DEVICE_NUMBERS.get(options["device"], options["device"]), list[Failed]()
    with open_model(str(chosen.path), device=device, strength=options["strength"]) as model:
        for job in jobs:
            try:
                with progress_bar() as advance:
                    film.restore_one(job, model, wishes, advance, options["json"])
            except (RelumeError, MemoryError) as error:
                failures.append(Failed(job, error))
    return _exit_code([], failures, len(jobs))


def _check(task: Task, options: Options) -> None:
    """Refuse what can be refused without looking at any file."""
    if not options["inputs"] + options["more_inputs"]:
        raise UsageError("no picture is given", hint=f"for example: relume {task} photo.jpg")
    tile, suffix = options["tile"], options["suffix"]
    if tile < 0:
        raise UsageError(
            "the side of the tiles is negative", got=tile, allowed="0 to choose it by free memory, or more"
        )
    if suffix and Path(suffix).name != suffix:
        raise UsageError("--suffix is no part of a file name", got=suffix, hint="choose a folder with -o")


def _plan(ending: str, options: Options) -> tuple[list[Job], list[RelumeError]]:
    """The pictures with the names of their results, and what is wrong with inputs that give none."""
    from relume.image import READABLE_SUFFIXES

    output, suffix = options["output"], options["suffix"]
    format = None if options["format"] == "auto" else options["format"]
    found, unusable = find_pictures([*options["inputs"], *options["more_inputs"]], READABLE_SUFFIXES)
    jobs = plan_jobs(
        found,
        output,
        ending=ending if suffix is None else suffix,
        suffix_for=partial(_result_suffix, format),
    )
    if any(_format_of(job.target) != _format_of(job.target, format) for job in jobs):
        raise UsageError(f"-o {output} and -f {format} disagree", hint="leave one of them out")
    return jobs, unusable


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


def _exit_code(unusable: Sequence[RelumeError], failures: Sequence[Failed], num_jobs: int) -> int:
    """List what failed. A single picture's failure has its own code."""
    codes = [complain(error) for error in unusable]
    codes += [complain(failure.error, failure.job.source) for failure in failures]
    if failures and num_jobs > 1:
        print(f"relume: {len(failures)} of {num_jobs} pictures failed", file=sys.stderr)
    return 1 if num_jobs + len(unusable) > 1 and codes else max(codes, default=0)


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
