"""A film from file to file: restored in segments that survive whatever happens, then put together."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Any

from relume import __version__
from relume.errors import InputError, UsageError
from relume.files import make_folder, refuse_unwritable, replacing
from relume.model import Model
from relume.video.film import Film, open_film
from relume.video.journal import Journal, Segment, hash_of, identity_of
from relume.video.muxing import Timing, mux
from relume.video.plan import Plan, Wishes, make_plan, refuse_container
from relume.video.restoring import Restored, restored_frames
from relume.video.segments import SUFFIX, open_segment


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
        interlaced: what became of interlacing: ``no``, ``marked`` (and taken out) or ``suspected``.
        seconds: wall time of this run.
    """

    width: int
    height: int
    num_frames: int
    resumed_frames: int
    repeated_frames: int
    reused_share: float
    num_damaged: int
    interlaced: str
    seconds: float


Tell = Callable[[Progress], None]


def restore_film(source: Path, target: Path, model: Model, wishes: Wishes, tell: Tell) -> FilmDone:
    """Restore a film.

    Segments and their journal are kept in a folder beside the target, named as it with ``.parts``, until the
    target is complete. If the folder is there already, the work goes on where it ended, and the result is
    that of an undisturbed run, to the byte.

    Args:
        source: the film.
        target: the file to write; its suffix decides the container.
        model: what restores.
        wishes: what is wanted.
        tell: told about progress after every frame.

    Raises:
        UsageError: if a wish cannot be fulfilled, or the folder holds another job's segments.
        InputError: if the film cannot be used.
        OutputError: if something cannot be written.
        OutOfMemory: if a frame does not fit into memory, even in small tiles.
    """
    begun = perf_counter()
    with open_film(source) as film:
        plan = make_plan(film.info, model.card, wishes)
        refuse_container(target, plan)
        make_folder(target.parent)
        refuse_unwritable(target)
        with _owned(target.with_name(f"{target.name}.parts")) as folder:
            job = {
                "relume": __version__,
                "film": identity_of(source),
                "model": model.card.weights_sha256,
            }
            journal = _journal(folder, {**job, **plan.described(wishes)})
            plan = plan.as_begun(journal.job)
            resumed = journal.num_frames
            if not journal.assembled:
                _restore_segments(film, model, plan, wishes, journal, tell)
                _assemble(source, target, film, wishes, journal)
            _clear(folder)
    return _done(film, plan, journal, resumed, perf_counter() - begun)


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
    film: Film, model: Model, plan: Plan, wishes: Wishes, journal: Journal, tell: Tell
) -> None:
    clock = _Clock(film, wishes, journal, tell)
    with restored_frames(film, model, plan, wishes, skip=journal.num_frames) as restored:
        for frames in _segments(restored, wishes):
            journal.add(_write_segment(clock.watched(frames), journal, plan))


def _segments(frames: Iterator[Restored], wishes: Wishes) -> Iterator[Iterator[Restored]]:
    """Cut where a scene begins, or where a segment would become too long."""
    length = number = 0

    def segment_of(frame: Restored) -> int:
        nonlocal length, number
        if length >= wishes.longest or (frame.begins_scene and length >= wishes.shortest):
            length, number = 0, number + 1
        length += 1
        return number

    return (group for _, group in groupby(frames, segment_of))


def _write_segment(frames: Iterator[Restored], journal: Journal, plan: Plan) -> Segment:
    path = journal.folder / f"{len(journal.segments) + 1:06}{SUFFIX}"
    pts: list[int] = []
    duration = repeated = asked = reused = 0
    with open_segment(path, plan.pictures) as writer:
        for frame in frames:
            writer.add(frame.image)
            pts.append(frame.pts)
            duration = frame.duration
            repeated, asked, reused = repeated + frame.repeated, asked + frame.asked, reused + frame.reused
    return Segment(
        file=path.name,
        pts=pts,
        duration=duration,
        delay=writer.delay,
        bytes=path.stat().st_size,
        sha256=hash_of(path),
        repeated=repeated,
        asked=asked,
        reused=reused,
    )


def _assemble(source: Path, target: Path, film: Film, wishes: Wishes, journal: Journal) -> None:
    """Put the segments and everything else of the original together, in the folder, and move it out."""
    import av

    if not journal.segments:
        raise InputError(
            f"{source} has no frame in the part that is wanted", hint="look at --start and --end"
        )
    timing = Timing(
        time_base=film.info.time_base,
        pts=[pts for segment in journal.segments for pts in segment.pts],
        duration=journal.segments[-1].duration,
        delay=max(segment.delay for segment in journal.segments),
    )
    with (
        av.open(str(source), metadata_errors="replace") as original,
        replacing(target, journal.folder) as temporary,
    ):
        files = [segment.file for segment in journal.segments]
        mux(
            original,
            film.stream.index,
            journal.folder,
            files,
            timing,
            film.info.tags,
            wishes.excerpt,
            temporary,
            target,
        )
    journal.note_assembled()


def _clear(folder: Path) -> None:
    """Remove the folder, the journal last: until then it tells that the result is complete."""
    for path in sorted(folder.iterdir(), reverse=True):
        if path.suffix == SUFFIX:
            path.unlink()
    shutil.rmtree(folder)


class _Clock:
    """Tells about every frame as it passes."""

    def __init__(self, film: Film, wishes: Wishes, journal: Journal, tell: Tell):
        self._journal, self._tell = journal, tell
        self._before = self._done = journal.num_frames
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
                    segment=len(self._journal.segments) + 1,
                    fps=fps,
                    seconds_left=None if left is None else max(0.0, left),
                )
            )


def _done(film: Film, plan: Plan, journal: Journal, resumed: int, seconds: float) -> FilmDone:
    segments = journal.segments
    asked = sum(segment.asked for segment in segments)
    return FilmDone(
        width=plan.pictures.width,
        height=plan.pictures.height,
        num_frames=journal.num_frames,
        resumed_frames=resumed,
        repeated_frames=sum(segment.repeated for segment in segments),
        reused_share=round(sum(segment.reused for segment in segments) / asked, 4) if asked else 0.0,
        num_damaged=film.num_damaged,
        interlaced=film.info.interlaced,
        seconds=round(seconds, 3),
    )
