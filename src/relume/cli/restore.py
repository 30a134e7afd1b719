"""What ``relume upscale`` and ``relume deblur`` share: their options, and how they work through files."""

import hashlib
import json as json_module
from argparse import SUPPRESS, ArgumentParser, BooleanOptionalAction
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from relume.card import ModelCard, Task
from relume.cli import devices, film, saving, selection
from relume.cli.endings import ending_of
from relume.cli.film_places import FilmJob, are_films
from relume.cli.numbers import Numbers
from relume.cli.outcomes import Skipped, Tally, reported
from relume.cli.progress import progress_bar
from relume.cli.selection import Selection, SelectionOptions
from relume.cli.streams import STREAM, renamed, renaming, standard_streams, writes_to_stdout
from relume.errors import RelumeError, UsageError
from relume.jobs.journal import Journal
from relume.jobs.naming import Job, make_result_folder
from relume.jobs.pipeline import Failed, Stages, Tell, restore_files

if TYPE_CHECKING:
    from relume.image import Animation, Picture, Result, Scan
    from relume.model import Model, Treatment
    from relume.zoo import ModelFile

NOT_IN_RESULTS = {
    *("inputs", "more_inputs", "output", "include", "exclude", "shard", "suffix"),
    *("tile", "device", "skip_existing", "resume", "report", "max_pixels", "json", "quiet"),
}
"""Options that change which files are worked on, or how, but not what a result is like."""

ONLY_PICTURES = (
    "include",
    "exclude",
    "shard",
    "max_pixels",
    "salvage",
    *saving.FORMATS,
)
"""Options that films do not have yet."""


class Options(SelectionOptions, saving.Options, film.Options):
    """What :func:`add_arguments` declares."""

    model: str | None
    tile: int
    device: str
    max_pixels: int | None
    salvage: bool
    skip_existing: bool
    resume: bool
    report: Path | None
    json: bool
    quiet: bool
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
    selection.add_arguments(parser, ending)
    add = parser.add_argument
    add("-n", "--model", help="name, see relume models, or file of a model")
    add("--model_name", dest="model", default=SUPPRESS, help=SUPPRESS)
    add("-t", "--tile", type=Numbers(), default=0, metavar="PX", help="side of the tiles; 0: by free memory")
    devices.add_argument(parser)
    add(
        "--max-pixels",
        type=Numbers(int, 1),
        metavar="N",
        help="largest picture to read (default: 180 million pixels)",
    )
    add("--salvage", action="store_true", help="of damaged JPEG and PNG, use what can be decoded, and say so")
    add("--skip-existing", action="store_true", help="leave out files whose results are there")
    add(
        "--resume",
        action="store_true",
        help="leave out what an earlier run finished; begun films always go on",
    )
    add("--report", type=Path, metavar="FILE", help="write what became of every file, as JSON")
    add("--json", action="store_true", help="print one JSON object a file")
    add("-q", "--quiet", action="store_true", help="print nothing but what went wrong")
    _add_treatment(parser)
    saving.add_arguments(parser)
    film.add_arguments(parser)


def _add_treatment(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--strength",
        type=Numbers(float, 0, 1),
        default=1.0,
        metavar="0..1",
        help="how much of what the model adds is kept",
    )
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


def restore(task: Task, size: film.Size, options: Options) -> int:
    """Work through the inputs; return the exit code.

    Args:
        task: what the model must do.
        size: of the results.
        options: of the command line.
    """
    check(task, options)
    chosen = choose_model(task, size, options)
    ending = ending_of(chosen, size)
    if are_films([*options["inputs"], *options["more_inputs"]], options["fps"]):
        return _restore_films(chosen, size, ending, options).conclude()
    film.refuse_film_options(options)
    options["quiet"] |= writes_to_stdout(options)
    with standard_streams(options) as spooled:
        selected = selection.select(ending, options)
        saving.refuse_useless(saving.given(options), (job.target for job in selected.jobs))
        with open_chosen(chosen, options) as model:
            tally = _restore_pictures(model, selected, size, options, spooled)
    return tally.conclude()


def open_chosen(chosen: "ModelFile", options: Options) -> "Model":
    """Load the model as the options say."""
    from relume.model import open_model

    return open_model(str(chosen.path), device=options["device"], strength=options["strength"])


def choose_model(task: Task | None, size: film.Size, options: Options) -> "ModelFile":
    """The model that is asked for, or the default one; with any task if none is given.

    Raises:
        UsageError: if there is none, it has another task, or the size is none.
        InputError: if its file is damaged.
    """
    from relume.backends import prefers_int8
    from relume.engine.restore import target_size
    from relume.zoo import default_model, find_model

    name = options["model"] or default_model(task or "upscale")
    scale, width, height = (size.get(key) for key in ("scale", "width", "height"))
    chosen = find_model(name, scale, task, int8=prefers_int8(options["device"]))
    target_size(1, 1, chosen.card.scale, scale, width, height)  # refuses what no picture could be given
    return chosen


def check(command: str, options: Options) -> None:
    """Refuse what can be refused without looking at any file.

    Args:
        command: its name, for the hint.
        options: of the command line.

    Raises:
        UsageError: for that.
    """
    if not options["inputs"] + options["more_inputs"]:
        raise UsageError("no picture is given", hint=f"for example: relume {command} photo.jpg")
    if options["json"] and writes_to_stdout(options):
        raise UsageError("--json and the result both need standard output", hint="use --report FILE")
    if options["report"] == Path(STREAM):
        raise UsageError("--report needs a file", got=STREAM, hint="--json tells the same on standard output")


def _restore_pictures(
    model: "Model", selected: Selection, size: film.Size, options: Options, spooled: Path | None
) -> Tally:
    """Work through files, and report on them even if that is interrupted."""
    jobs, unusable = selected
    factor = None if size.get("width") or size.get("height") else size.get("scale") or model.card.scale
    tally = Tally(model.card.name, factor, options["json"], options["quiet"], unusable)
    journal = journal_of(model.card, size, options)
    wanted, skipped = split(jobs, journal, options)
    folders = (name for name in [*options["inputs"], *options["more_inputs"]] if Path(name).is_dir())
    is_batch = len(jobs) > 1 or any(folders)
    keeps_journal = options["resume"] or options["shard"] or is_batch
    writing: Callable[[Job], AbstractContextManager[None]] = (
        journal.writing if keeps_journal else lambda job: nullcontext()
    )
    with reported(tally, options["report"]), progress_bar() as advance:
        told = renaming(advance, spooled)
        outcomes = restore_files(wanted, _dispatch(model, size, options), told, writing)
        tally.tell(renamed(outcome, spooled) for outcome in chain(skipped, outcomes))
    return tally


def _dispatch(model: "Model", size: film.Size, options: Options) -> Callable[[Job], Stages]:
    """How each file is worked on, by what it is."""
    from relume.image import MAX_PIXELS, refuse_size
    from relume.jobs.pictures import PictureStages

    scale = max(model.card.scale, size.get("scale") or 0)
    max_pixels = options["max_pixels"] or MAX_PIXELS
    formats = saving.given(options)

    def stages(job: Job) -> Stages:
        def work(picture: "Picture | Scan | Animation", progress: Tell) -> "Result":
            refuse_size(job.target, *model.size_of((picture.height, picture.width), **size))
            return model.restore_image(picture, **size, **treatment_of(options, progress))

        return PictureStages(work, scale, max_pixels, options["salvage"], formats)

    return stages


def treatment_of(options: Options, progress: Tell | None = None) -> "Treatment":
    """What the options say about how pictures are restored."""
    return {
        "tile": options["tile"],
        "ensemble": options["tta"],
        "lock_colours": options["lock_colours"],
        "consistent": options["consistent"],
        "wrap": options["wrap"],
        "show_invented": options["show_invented"],
        "provenance": options["provenance"],
        "progress": progress,
    }


def _restore_films(chosen: "ModelFile", size: film.Size, ending: str, options: Options) -> Tally:
    """Work through films; one that cannot be used does not stop the others."""
    for name in ("wrap", "show_invented", *ONLY_PICTURES):
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
    jobs = film.plan_films(
        inputs,
        options,
        ending if suffix is None else suffix,
        output=options["output"],
        format=None if options["format"] == "auto" else options["format"],
    )
    tally = Tally(chosen.card.name, None, options["json"], options["quiet"], [])
    journal = journal_of(chosen.card, size, options)
    films = {job.names: job for job in jobs}
    wanted, skipped = split([*films], journal, options)
    with reported(tally, options["report"]), open_chosen(chosen, options) as model:
        tally.tell(skipped)
        for names in wanted:
            job = films[names]
            try:
                if options["preview"] is not None:
                    film.preview_one(job, model, wishes, options["preview"], options["json"])
                    continue
                with _noted(job, journal) if options["resume"] or len(films) > 1 else nullcontext():
                    tally.done.append(film.restore_one(job, model, wishes, options["json"], options["quiet"]))
            except (RelumeError, MemoryError) as error:
                tally.failures.append(Failed(names, error))
    return tally


@contextmanager
def _noted(job: FilmJob, journal: Journal) -> Generator[None]:
    """Note in the journal what becomes of a film, unless it is no file, or its result none."""
    if job.target is None or not job.names.source.is_file():
        yield
        return
    make_result_folder(job.names)
    with journal.writing(job.names):
        yield


def journal_of(card: ModelCard, size: film.Size, options: Options) -> Journal:
    """The record of earlier runs with the same model and options."""
    return Journal(_settings(card, size, options), (options["shard"] or "").replace("/", "of"))


def split(jobs: list[Job], journal: Journal, options: Options) -> tuple[list[Job], Iterator[Skipped]]:
    """What is to be done, and what is left out."""
    why = {job: _why_skipped(job, journal, options) for job in jobs}
    return [job for job in jobs if not why[job]], (Skipped(job, text) for job, text in why.items() if text)


def _why_skipped(job: Job, journal: Journal, options: Options) -> str | None:
    if options["resume"] and journal.holds(job):
        return "done by an earlier run"
    if options["skip_existing"] and job.target.exists():
        return "the result is there"
    return None


def _settings(card: ModelCard, size: film.Size, options: Options) -> str:
    """A hash over what results depend on, beside the picture."""
    choices = {key: str(value) for key, value in options.items() if key not in NOT_IN_RESULTS | {"model"}}
    text = json_module.dumps([card.to_json(), sorted(size.items()), sorted(choices.items())])
    return hashlib.sha256(text.encode()).hexdigest()
