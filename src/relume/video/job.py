"""A film from file to file: restored in segments that survive whatever happens, then put together."""

import logging
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, Self

from relume import __version__
from relume.card import ModelCard
from relume.errors import InputError, UsageError
from relume.files import make_folder
from relume.model import Model
from relume.video.film import Film
from relume.video.interlace import Interlaced
from relume.video.journal import Journal, Segment
from relume.video.plan import Plan, Wishes, make_plan
from relume.video.restoring import Note, Restored, restored_frames
from relume.video.segments import SUFFIX
from relume.video.sources import Source
from relume.video.targets import Target
from relume.video.y4m import Y4mWriter


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a film is.

    Attributes:
        done: frames that are restored, those of an earlier run too.
        total: frames in all, as far as known beforehand; 0 if it is not.
        segment: number of the segment at work, from 1.
        fps: frames per second of this run so far.
        seconds_left: None before that can be told.
    """

    done: int
    total: int
    segment: int
    fps: float
    seconds_left: float | None


@dataclass(frozen=True, kw_only=True)
class FilmDone:
    """A film that was written.

    Attributes:
        width: columns of the result.
        height: rows of the result.
        num_frames: frames of the result.
        resumed_frames: how many of them an earlier run had finished.
        repeated_frames: how many were equal to the one before, and not computed.
        reused_share: share of the other frames' pixels that were known from the frame before.
        num_damaged: packets of the original that could not be decoded.
        interlaced: whether the original is, see :data:`relume.video.interlace.Interlaced`.
        deinterlaced: whether that was taken out.
        seconds: wall time of this run.
    """

    width: int
    height: int
    num_frames: int
    resumed_frames: int
    repeated_frames: int
    reused_share: float
    num_damaged: int
    interlaced: Interlaced
    deinterlaced: bool
    seconds: float


Tell = Callable[[Progress], None]
Warn = Callable[[str], None]


def restore_film(
    source: Source, target: Target, model: Model, wishes: Wishes, tell: Tell, warn: Warn = logging.warning
) -> FilmDone:
    """Restore a film.

    What is finished and its journal are kept in a folder beside the target, named as it with ``.parts``,
    until the target is complete. If the folder is there already, the work goes on where it ended, and the
    result is that of an undisturbed run, to the byte.

    Args:
        source: where the frames come from.
        target: what to write.
        model: what restores.
        wishes: what is wanted.
        tell: told about progress after every frame.
        warn: told, before the first frame, what of the original the target cannot hold.

    Raises:
        UsageError: if a wish cannot be fulfilled, the target cannot hold what the original has, or the folder
            holds another job's segments.
        InputError: if the film cannot be used.
        OutputError: if something cannot be written.
        OutOfMemory: if a frame does not fit into memory, even in small tiles.
    """
    begun = perf_counter()
    with source.open(wishes.deinterlace) as film:
        plan = make_plan(film.info, model.card, wishes)
        target.refuse(plan)
        target.prepare()
        with _owned(target.parts) as folder:
            job = {"relume": __version__, "film": source.identity(), "model": _identity(model.card)}
            journal = _journal(folder, {**job, **plan.described(wishes)})
            plan = plan.as_begun(journal.job)
            resumed = journal.num_frames
            if not journal.assembled:
                for loss in target.losses(source, film.info, plan, folder):
                    warn(loss)
                _restore_segments(film, model, plan, wishes, target, journal, tell)
                if journal.segments:
                    target.assemble(source, film.info, wishes, journal)
                    journal.note_assembled()
            _clear(folder)
    _refuse_nothing(source, journal.num_frames)
    return _done(film, plan, _Work.of_segments(journal.segments), resumed, perf_counter() - begun)


def stream_film(source: Source, stream: BinaryIO, model: Model, wishes: Wishes, tell: Tell) -> FilmDone:
    """Restore a film into a stream of Y4M, which cannot go on if it is interrupted.

    Args:
        source: where the frames come from.
        stream: where they go.
        model: what restores.
        wishes: what is wanted; their codec is ``y4m``.
        tell: told about progress after every frame.

    Raises:
        UsageError: if a wish cannot be fulfilled.
        InputError: if the film cannot be used.
        OutOfMemory: if a frame does not fit into memory, even in small tiles.
        OSError: if the stream takes no more.
    """
    begun = perf_counter()
    with source.open(wishes.deinterlace) as film:
        plan = make_plan(film.info, model.card, wishes)
        clock = _Clock(film, wishes, [], tell)
        notes: list[Note] = []
        writer = Y4mWriter(stream, plan.pictures)
        with restored_frames(film, model, plan, wishes) as restored:
            for frame in clock.watched(restored):
                writer.add(frame.image)
                notes.append(frame.note)
    _refuse_nothing(source, len(notes))
    return _done(film, plan, _Work.of_notes(notes), 0, perf_counter() - begun)


def _identity(card: ModelCard) -> dict[str, str]:
    """What tells models apart: that in 8 bits has the hash of the weights that it was made of."""
    return {
        "name": card.name,
        "precision": card.precision,
        "calibration": card.calibration,
        "weights_sha256": card.weights_sha256,
    }


@contextmanager
def _owned(folder: Path) -> Generator[Path]:
    """A folder that no other process works in."""
    make_folder(folder)
    if os.name != "posix":
        yield folder
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    except BlockingIOError as error:
        raise UsageError(f"another relume is working in {folder}", hint="wait for it") from error
    finally:
        os.close(descriptor)


def _journal(folder: Path, job: dict[str, Any]) -> Journal:
    """The folder's journal: that of an earlier run of the same job, or a new one."""
    journal = Journal.read(folder)
    if journal is None:
        return Journal.begin(folder, job)
    encoding = {**job["encoding"], "threads": journal.job["encoding"]["threads"]}
    journal.refuse_another_job({**job, "tile": journal.job["tile"], "encoding": encoding})
    if not journal.assembled:
        journal.keep_sound_segments()
    return journal


def _restore_segments(
    film: Film, model: Model, plan: Plan, wishes: Wishes, target: Target, journal: Journal, tell: Tell
) -> None:
    clock = _Clock(film, wishes, journal.segments, tell)
    with restored_frames(film, model, plan, wishes, skip=journal.num_frames) as restored:
        begun = len(journal.segments)
        for segment in target.segments(clock.watched(restored), journal.folder, plan, wishes, begun):
            journal.add(segment)


def _refuse_nothing(source: Source, num_frames: int) -> None:
    if not num_frames:
        raise InputError(
            f"{source} has no frame in the part that is wanted", hint="look at --start and --end"
        )


def _clear(folder: Path) -> None:
    """Remove the folder, the journal last: until then it tells that the result is complete."""
    for path in sorted(folder.iterdir(), reverse=True):
        if path.suffix == SUFFIX:
            path.unlink()
    shutil.rmtree(folder)


class _Clock:
    """Tells about every frame as it passes."""

    def __init__(self, film: Film, wishes: Wishes, finished: Sequence[Segment], tell: Tell):
        self._finished, self._tell = finished, tell
        self._before = self._done = sum(len(segment.pts) for segment in finished)
        self._total = film.info.num_frames_in(wishes.excerpt)
        self._begun = perf_counter()

    def watched(self, frames: Iterator[Restored]) -> Iterator[Restored]:
        for frame in frames:
            yield frame
            self._done += 1
            fps = (self._done - self._before) / max(perf_counter() - self._begun, 1e-9)
            left = (self._total - self._done) / fps if self._total else None
            self._tell(
                Progress(
                    done=self._done,
                    total=max(self._total, self._done) if self._total else 0,
                    segment=len(self._finished) + 1,
                    fps=fps,
                    seconds_left=None if left is None else max(0.0, left),
                )
            )


@dataclass(frozen=True)
class _Work:
    """What was done for frames in all: see :class:`Segment` and :class:`FilmDone`."""

    num_frames: int
    repeated: int
    asked: int
    reused: int

    @classmethod
    def of_segments(cls, segments: Sequence[Segment]) -> Self:
        num_frames = sum(len(segment.pts) for segment in segments)
        return cls(num_frames, *_sums(segments))

    @classmethod
    def of_notes(cls, notes: Sequence[Note]) -> Self:
        return cls(len(notes), *_sums(notes))


def _sums(items: Sequence[Segment] | Sequence[Note]) -> tuple[int, int, int]:
    return (
        sum(item.repeated for item in items),
        sum(item.asked for item in items),
        sum(item.reused for item in items),
    )


def _done(film: Film, plan: Plan, work: _Work, resumed: int, seconds: float) -> FilmDone:
    return FilmDone(
        width=plan.pictures.width,
        height=plan.pictures.height,
        num_frames=work.num_frames,
        resumed_frames=resumed,
        repeated_frames=work.repeated,
        reused_share=round(work.reused / work.asked, 4) if work.asked else 0.0,
        num_damaged=film.num_damaged,
        interlaced=film.info.interlaced,
        deinterlaced=film.info.deinterlacing is not None,
        seconds=round(seconds, 3),
    )
