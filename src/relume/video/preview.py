"""A few restored frames as pictures, and how long the whole film would take."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter

from relume.errors import InputError, UsageError
from relume.image import write_picture
from relume.model import Model
from relume.video.film import Film, Frame
from relume.video.plan import Plan, Wishes, make_plan
from relume.video.restoring import Restored, Restorer, picture_of
from relume.video.segments import SUFFIX, open_segment
from relume.video.sources import Source
from relume.video.targets import FilmTarget, Target


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What was shown.

    Attributes:
        pictures: the files that were written.
        num_frames: frames that the whole would have, about.
        seconds: that the whole would take, about, if all frames were like these.
    """

    pictures: list[Path]
    num_frames: int
    seconds: float


def preview_film(source: Source, target: Target, model: Model, wishes: Wishes, count: int) -> Preview:
    """Restore frames that are spread evenly over the film, and write them as PNG beside the target.

    Args:
        source: the film.
        target: what the whole would be written to.
        model: what restores.
        wishes: as for the whole.
        count: how many frames.

    Raises:
        UsageError: if ``count`` is not positive, or a wish cannot be fulfilled.
        InputError: if the film cannot be used.
        OutputError: if something cannot be written.
    """
    if count < 1:
        raise UsageError("--preview needs at least one frame", got=count)
    with source.open(wishes.deinterlace) as film:
        plan = make_plan(film.info, model.card, wishes)
        target.refuse(plan)
        frames = list(_spread(film, wishes, count))
        restored, each = _restore(Restorer(model, film.info, plan, wishes, Event()), frames)
        if not restored:
            raise InputError(f"{source} has no frame in the wanted part", hint="look at --start and --end")
        if isinstance(target, FilmTarget):
            started = _encode(restored, plan)
            each += max(0.0, _encode(restored * 2, plan) - started) / len(restored)
        pictures = [_write(frame, plan, target.preview(number)) for number, frame in enumerate(restored, 1)]
    total = film.info.num_frames_in(wishes.excerpt)
    return Preview(pictures=pictures, num_frames=total, seconds=round(each * total, 1))


def _spread(film: Film, wishes: Wishes, count: int) -> Iterator[Frame]:
    start = wishes.excerpt.start
    length = film.info.num_frames_in(wishes.excerpt) / film.info.rate
    for place in range(count):
        frame = film.frame_at(start + length * Fraction(2 * place + 1, 2 * count))
        if frame is not None:
            yield frame


def _restore(restorer: Restorer, frames: list[Frame]) -> tuple[list[Restored], float]:
    """The frames, and the seconds that each took after the first: before that the network is made ready."""
    times = [perf_counter()]
    restored: list[Restored] = []
    for frame in restorer.restore(iter(frames)):
        restored.append(frame)
        times.append(perf_counter())
    measured = times[1:] if len(times) > 2 else times
    return restored, (measured[-1] - measured[0]) / max(1, len(measured) - 1)


def _encode(restored: list[Restored], plan: Plan) -> float:
    """For the seconds that it takes; to start the encoder takes some, however many frames come."""
    begun = perf_counter()
    with (
        TemporaryDirectory(prefix="relume-") as folder,
        open_segment(Path(folder, f"preview{SUFFIX}"), plan.pictures) as writer,
    ):
        for frame in restored:
            writer.add(frame.image)
    return perf_counter() - begun


def _write(frame: Restored, plan: Plan, path: Path) -> Path:
    write_picture(picture_of(frame, plan), path)
    return path
