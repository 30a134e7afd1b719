"""What ``relume upscale`` and ``relume deblur`` do with films: their options, progress and results."""

import json as json_module
import os
import sys
from argparse import ArgumentParser
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from fractions import Fraction
from functools import partial
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypedDict, Unpack

from relume.cli import film_places
from relume.cli.extras import extra
from relume.cli.failures import printable, tell_interruption
from relume.cli.film_places import FilmJob
from relume.cli.numbers import Numbers
from relume.cli.outcomes import Line
from relume.cli.progress import Advance, progress_bar
from relume.errors import UsageError
from relume.jobs.pipeline import peak_rss

if TYPE_CHECKING:
    from relume.model import Model
    from relume.video.film import Excerpt
    from relume.video.interlace import Deinterlace
    from relume.video.job import FilmDone, Progress, Tell
    from relume.video.plan import Wishes

_TELL_EVERY_S = 1.0


class Size(TypedDict, total=False):
    """The size of results, as :class:`relume.model.Options` has it; nothing: the model's scale."""

    scale: float | None
    width: int | None
    height: int | None


class Treatment(TypedDict):
    """What is asked of the model, as :class:`relume.video.plan.Wishes` has it."""

    tile: int
    strength: float
    ensemble: bool
    lock_colours: bool | None
    consistent: bool


class Options(TypedDict):
    """What :func:`add_arguments` declares."""

    codec: str | None
    crf: float | None
    preset: str | None
    pix_fmt: str | None
    start: str | None
    end: str | None
    preview: int | None
    fps: str | None
    deinterlace: "Deinterlace | None"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that are for films alone."""
    add = parser.add_argument_group("for films").add_argument
    add("--codec", help="av1 (10-bit, the default), x264, x265, ffv1, prores")
    add("--crf", type=Numbers(float), metavar="N", help="quality, lower is better (default: 24 for av1)")
    add(
        "--preset",
        metavar="NAME",
        help="effort: 13 to 0 for av1 (default: 8), ultrafast to placebo for x264",
    )
    add("--pix-fmt", metavar="NAME", help="pixel layout (default: what keeps most of the film's)")
    add("--start", metavar="TIME", help="begin there: seconds, or 1:02:03.5")
    add("--end", metavar="TIME", help="end there")
    add(
        "--preview",
        type=Numbers(int, 1),
        metavar="N",
        help="only N frames, as pictures, and how long all would take",
    )
    add("--fps", metavar="RATE", help="make a film of pictures: a folder, or frames/%%05d.png (default: 25)")
    add("--deinterlace", choices=["auto", "on", "off"], help="every frame, or none (default: if it needs it)")


def need_video() -> None:
    """Make sure that PyAV is installed.

    Raises:
        UsageError: if it is not.
    """
    with extra("video"):
        import_module("av")


def refuse_film_options(options: Options) -> None:
    """Make sure that nothing is asked of pictures that only films can have.

    Raises:
        UsageError: if something is.
    """
    for name in Options.__annotations__:
        if options[name] is not None:
            raise UsageError(f"--{name.replace('_', '-')} is for films", got="pictures")


def wishes_of(size: Size, options: Options, **treatment: Unpack[Treatment]) -> "Wishes":
    """What the options ask.

    Raises:
        UsageError: if a time is none.
    """
    need_video()
    from relume.video.codecs import DEFAULT_CODEC
    from relume.video.plan import Wishes

    return Wishes(
        **size,
        excerpt=excerpt_of(options["start"], options["end"]),
        codec=options["codec"] or DEFAULT_CODEC,
        crf=options["crf"],
        preset=options["preset"],
        pix_fmt=options["pix_fmt"],
        deinterlace=options["deinterlace"] or "auto",
        **treatment,
    )


def plan_films(
    inputs: Sequence[str], options: Options, ending: str, *, output: str | None, format: str | None
) -> list[FilmJob]:
    """The films with what they become; see :func:`relume.cli.film_places.plan_films`.

    Raises:
        UsageError: if options do not fit what the films become.
    """
    need_video()
    from relume.video.codecs import DEFAULT_CODEC

    jobs = film_places.plan_films(
        inputs,
        output,
        ending=ending,
        codec=options["codec"] or DEFAULT_CODEC,
        format=format,
        fps=options["fps"],
    )
    coded = [name for name in ("codec", "crf", "preset") if options[name] is not None]
    for job in jobs:
        if coded and job.uncoded:
            raise UsageError(
                f"--{coded[0]} is for films in a container", got=str(job.target or "standard output")
            )
        if job.target is None and options["preview"] is not None:
            raise UsageError("--preview writes pictures", got="standard output", hint="give a file with -o")
    return jobs


def restore_one(job: FilmJob, model: "Model", wishes: "Wishes", json: bool, quiet: bool) -> Line:
    """Restore a film, tell how far it is, and then, when the bar is gone, what it was, which is given too."""
    from relume.video.job import restore_film, stream_film

    wishes = replace(wishes, codec=job.uncoded or wishes.codec)
    with _leaving_at_once(), progress_bar() as advance:
        tell = _teller(job, advance, json)
        if job.target is None:
            done = stream_film(job.source, sys.stdout.buffer, model, wishes, tell)
        else:
            done = restore_film(job.source, job.target, model, wishes, tell, partial(_warn, job))
    names = {"input": str(job.source), "output": str(job.names.target), "model": model.card.name}
    line: Line = {**names, **asdict(done), "peak_rss_mb": _peak_mb()}
    if job.target is not None and json:
        print(json_module.dumps(line), flush=True)
    elif job.target is not None and not quiet:
        print(printable(f"{job.source} → {job.target}: {_summary(done)}"), flush=True)
    return line


def _warn(job: FilmJob, loss: str) -> None:
    print("relume:", printable(f"{job.target} does not hold all of {job.source}: {loss}"), file=sys.stderr)


@contextmanager
def _leaving_at_once() -> Generator[None]:
    """Do not wait for a large tile if the run is interrupted: what is on the disk is whole at any moment."""
    from relume.video.ahead import still_at_work

    try:
        yield
    except KeyboardInterrupt as interrupt:
        if still_at_work():
            sys.stdout.flush()
            os._exit(tell_interruption(interrupt))
        raise


def preview_one(job: FilmJob, model: "Model", wishes: "Wishes", count: int, json: bool) -> None:
    """Restore a few frames of a film, and tell how long all would take."""
    from relume.video.preview import preview_film

    assert job.target is not None
    wishes = replace(wishes, codec=job.uncoded or wishes.codec)
    found = preview_film(job.source, job.target, model, wishes, count)
    pictures = [str(path) for path in found.pictures]
    if json:
        line = {"input": str(job.source), "pictures": pictures, "num_frames": found.num_frames}
        print(json_module.dumps({**line, "seconds_for_all": found.seconds}), flush=True)
        return
    for path in pictures:
        print(printable(path))
    print(f"all {found.num_frames} frames would take about {_duration(found.seconds)} on this machine")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def excerpt_of(start: str | None, end: str | None) -> "Excerpt":
    """The part of a film between two times.

    Raises:
        UsageError: if one is no time, or nothing is between them.
    """
    from relume.video.film import Excerpt

    first = Fraction(0) if start is None else _seconds(start, "--start")
    last = None if end is None else _seconds(end, "--end")
    if last is not None and last <= first:
        raise UsageError("--end is not after --start", got=f"{start or 0} to {end}")
    return Excerpt(first, last)


def _seconds(text: str, option: str) -> Fraction:
    """``90``, ``1:30`` or ``0:01:30.5`` in seconds."""
    try:
        parts = [Fraction(part) for part in text.split(":")]
        if len(parts) > 3 or any(part < 0 for part in parts):
            raise ValueError
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"{option} is no time", got=text, allowed="seconds, 1:30 or 1:02:03.5") from error
    return sum((part * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))


def _teller(job: FilmJob, advance: Advance, json: bool) -> "Tell":
    """Tells progress: to the bar after every frame, as JSON every second."""
    told = 0.0

    def tell(progress: "Progress") -> None:
        nonlocal told
        name = Path(str(job.source)).name
        what = f"{name}: segment {progress.segment}, {progress.fps:.2f} fps, {_peak_mb():.0f} MB"
        advance(progress.done, progress.total or progress.done, what)
        if json and monotonic() - told >= _TELL_EVERY_S:
            told = monotonic()
            line = {"input": str(job.source), **asdict(progress), "peak_rss_mb": _peak_mb()}
            print(json_module.dumps(line), flush=True)

    return tell


def _summary(done: "FilmDone") -> str:
    parts = [f"{done.width}×{done.height}", f"{done.num_frames} frames", f"{done.seconds:.1f} s"]
    if done.resumed_frames:
        parts.append(f"{done.resumed_frames} frames were finished already")
    if done.repeated_frames or done.reused_share:
        saved = 1 - (1 - done.repeated_frames / done.num_frames) * (1 - done.reused_share)
        parts.append(
            f"{saved:.0%} of the work saved: {done.repeated_frames} repeated frames, and what stood still"
        )
    parts += _interlacing(done)
    if done.num_damaged:
        parts.append(f"{done.num_damaged} damaged packets were left out")
    return ", ".join(parts)


def _interlacing(done: "FilmDone") -> list[str]:
    if not done.deinterlaced:
        return [] if done.interlaced == "no" else ["interlaced, and left so"]
    if done.interlaced == "seen":
        return ["deinterlaced, as it looks interlaced though it does not say so (--deinterlace off)"]
    return ["deinterlaced"]


def _peak_mb() -> float:
    return round(peak_rss() / 1e6, 1)
