"""Say how long it would take to enlarge pictures, and how much memory and disk, without doing it.

    relume plan photos/ -o large/         as relume upscale photos/ -o large/
    relume plan photo.jpg -n deblur.onnx  as relume deblur photo.jpg -n deblur.onnx

Takes the options of relume upscale. Small parts of some pictures are restored to find out, for a few seconds;
nothing is written. The exit code is 71 if there is too little memory, and 74 if there is too little disk.
"""

import json as json_module
import shutil
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from relume.cli import film, restore, saving, selection, upscale
from relume.cli.endings import ending_of
from relume.cli.failures import complain, printable
from relume.cli.film_places import are_films
from relume.cli.selection import Selection
from relume.cli.streams import STREAM
from relume.errors import OutOfMemory, OutputError, UsageError
from relume.machine import free_ram, process_age

if TYPE_CHECKING:
    from relume.image import Picture, Result
    from relume.jobs.forecast import Forecast
    from relume.jobs.prospects import Prospect
    from relume.model import Model


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    upscale.add_arguments(parser)


def run(
    scale: float | None, width: int | None, height: int | None, **options: Unpack[restore.Options]
) -> int:
    """Do it; see the module's text."""
    size: film.Size = {"scale": scale, "width": width, "height": height}
    _check(options)
    chosen = restore.choose_model(None, size, options)
    selected = selection.select(ending_of(chosen, size), options)
    saving.refuse_useless(saving.given(options), (job.target for job in selected.jobs))
    return _plan(partial(restore.open_chosen, chosen, options), selected, size, options)


def _check(options: restore.Options) -> None:
    restore.check("plan", options)
    inputs = [*options["inputs"], *options["more_inputs"]]
    if are_films(inputs, options["fps"]):
        hint = "relume upscale FILM --preview 5 tells how long it would take"
        raise UsageError("there is no plan for films", got=inputs[0], hint=hint)
    if STREAM in [*inputs, options["output"]]:
        raise UsageError("there is no plan for standard input and output", hint="name files")
    film.refuse_film_options(options)


def _plan(
    open_model: "Callable[[], Model]", selected: Selection, size: film.Size, options: restore.Options
) -> int:
    import numpy as np

    from relume.image import MAX_PIXELS
    from relume.jobs.forecast import forecast
    from relume.jobs.prospects import foresee

    model = open_model()
    started_s = np.array([process_age(), time.process_time()])
    treatment, max_pixels = restore.treatment_of(options), options["max_pixels"] or MAX_PIXELS
    jobs, _ = restore.split(selected.jobs, restore.journal_of(model.card, size, options), options)
    prospects, failed = foresee(jobs, model, max_pixels, **size, **treatment)
    codes = [complain(error) for error in selected.unusable]
    codes += [complain(failure.error, failure.job.source) for failure in failed]
    if codes and len(jobs) + len(selected.unusable) > 1:
        codes = [1]  # as restoring them would say: some of several
    if prospects:

        def work(picture: "Picture", height: int, width: int) -> "Result":
            return model.restore_image(picture, height=height, width=width, **treatment)

        found = forecast(prospects, open_model, work, saving.given(options), started_s, max_pixels)
        codes += _tell(found, prospects, model.card.name, options["json"])
    elif not codes:
        print("nothing is left to do")
    return max(codes, default=0)


def _tell(found: "Forecast", prospects: "list[Prospect]", model: str, json: bool) -> list[int]:
    """Print it; gives the exit codes of what will not do."""
    base = _existing(prospects[0].job.base)
    free_disk, free_memory = shutil.disk_usage(base).free, free_ram()
    line = {"pictures": len(prospects), "model": model, **asdict(found)}
    line |= {"free_memory_bytes": free_memory, "free_disk_bytes": free_disk}
    px = sum(prospect.out_px * prospect.num_frames for prospect in prospects)
    text = f"""\
pictures   {len(prospects)}, {px / 1e6:.1f} megapixels of results, by {model}
time       about {_duration(found.seconds)} now; {_duration(found.processor_seconds)} of processor time
memory     about {_size(found.memory_bytes)}; {_size(free_memory)} are free
disk       about {_size(found.disk_bytes)} in {printable(str(base))}; {_size(free_disk)} are free"""
    print(json_module.dumps(line) if json else text)
    codes: list[int] = []
    if found.memory_bytes > free_memory:
        codes.append(complain(OutOfMemory("there is too little memory", hint="choose a smaller --tile")))
    if found.disk_bytes > free_disk:
        codes.append(complain(OutputError("there is too little disk", hint="choose another one with -o")))
    return codes


def _existing(folder: Path) -> Path:
    """The folder, or the lowest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.3g} MB" if num_bytes < 1e9 else f"{num_bytes / 1e9:.3g} GB"
