"""What a film is written to: a file in a container, or pictures with numbers; both can go on after a stop."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from relume.errors import UsageError
from relume.files import refuse_unwritable, replacing
from relume.image import write_picture
from relume.video.codecs import CODECS
from relume.video.colour import from_rgb
from relume.video.decoding import main_stream
from relume.video.film import WHOLE, FilmInfo
from relume.video.journal import Journal, Segment, hash_of
from relume.video.muxing import FORMATS, Timing, mux
from relume.video.picture_files import numbered
from relume.video.plan import Plan, Wishes
from relume.video.restoring import Note, Restored, picture_of
from relume.video.segments import SUFFIX, open_segment
from relume.video.sources import Source
from relume.video.streams import compare_descriptions
from relume.video.tags import coding_of, frame_of

_TRIED_PACKETS: Final = 200


@dataclass(frozen=True)
class Target(ABC):
    """What a restored film becomes.

    Attributes:
        path: the file, or the pattern of the files.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def parts(self) -> Path:
        """The folder of the journal, and of whatever else there is until all is complete."""
        return self.path.with_name(f"{self.path.name}.parts")

    @abstractmethod
    def preview(self, number: int) -> Path:
        """The file of a frame that is shown beforehand."""

    @abstractmethod
    def refuse(self, plan: Plan) -> None:
        """Make sure that it can hold such pictures.

        Raises:
            UsageError: if it cannot.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Make sure, before long work, that it can be written.

        Raises:
            OutputError: if it cannot.
        """

    @abstractmethod
    def losses(self, source: Source, info: FilmInfo, plan: Plan, folder: Path) -> list[str]:
        """What of the original it cannot hold, besides the pictures, found out by trying.

        Raises:
            UsageError: if it cannot hold a stream at all.
        """

    @abstractmethod
    def segments(
        self, frames: Iterator[Restored], folder: Path, plan: Plan, wishes: Wishes, begun: int
    ) -> Iterator[Segment]:
        """Write frames; a segment is given when it is safe on the disk.

        Args:
            frames: those that are not finished yet.
            folder: :attr:`parts`.
            plan: how they are written.
            wishes: what is asked.
            begun: how many segments are finished.

        Raises:
            OutputError: if they cannot be written.
        """

    @abstractmethod
    def assemble(self, source: Source, info: FilmInfo, wishes: Wishes, journal: Journal) -> None:
        """Make the result of its segments.

        Raises:
            OutputError: if it cannot be written.
        """


class FilmTarget(Target):
    """A film in a container."""

    def preview(self, number: int) -> Path:
        """See :class:`Target`."""
        return self.path.with_name(f"{self.path.stem}-preview-{number}.png")

    def refuse(self, plan: Plan) -> None:
        """See :class:`Target`."""
        _refuse_container(self.path, plan)

    def prepare(self) -> None:
        """See :class:`Target`."""
        refuse_unwritable(self.path)

    def losses(self, source: Source, info: FilmInfo, plan: Plan, folder: Path) -> list[str]:
        """Put a film of one black frame, and the first packets of all else, together and read it again."""
        pictures = plan.pictures
        layout = coding_of(pictures.encoding.pix_fmt, pictures.colour)
        black = from_rgb(np.zeros((pictures.height, pictures.width, 3), np.float32), layout)
        segment = folder / f"rehearsal{SUFFIX}"
        tried = folder / f"rehearsal{self.path.suffix}.tried"
        with source.original() as original:
            if original is None:
                return []
            try:
                with open_segment(segment, pictures) as writer:
                    writer.add(frame_of(black, pictures.encoding.pix_fmt, pictures.colour))
                timing = Timing(time_base=info.time_base, pts=[0], duration=1, delay=writer.delay)
                mux(
                    original,
                    folder,
                    [segment.name],
                    timing,
                    info.tags,
                    WHOLE,
                    tried,
                    self.path,
                    _TRIED_PACKETS,
                )
                checks = [*compare_descriptions(Path(original.name), tried)]
            finally:
                segment.unlink(missing_ok=True)
                tried.unlink(missing_ok=True)
        return [f"{check.name}: {check.found}" for check in checks if not check.kept]

    def segments(
        self, frames: Iterator[Restored], folder: Path, plan: Plan, wishes: Wishes, begun: int
    ) -> Iterator[Segment]:
        """Write pieces of film that end where a scene begins, or where they would become too long."""
        for number, piece in enumerate(_pieces(frames, wishes), begun + 1):
            yield _write_segment(piece, folder / f"{number:06}{SUFFIX}", plan)

    def assemble(self, source: Source, info: FilmInfo, wishes: Wishes, journal: Journal) -> None:
        """Put segments and everything else of the original together, in the folder, and move it out."""
        timing = Timing(
            time_base=info.time_base,
            pts=[pts for segment in journal.segments for pts in segment.pts],
            duration=journal.segments[-1].duration,
            delay=max(segment.delay for segment in journal.segments),
        )
        files = [segment.file for segment in journal.segments]
        with source.original() as original, replacing(self.path, journal.folder) as temporary:
            mux(original, journal.folder, files, timing, info.tags, wishes.excerpt, temporary, self.path)


class PicturesTarget(Target):
    """Numbered pictures, from 1 on; each appears as soon as it is complete."""

    def preview(self, number: int) -> Path:
        """See :class:`Target`."""
        return self.path.parent.with_name(f"{self.path.parent.name}-preview-{number}.png")

    def refuse(self, plan: Plan) -> None:
        """Pictures of any kind can be written."""

    def prepare(self) -> None:
        """See :class:`Target`."""
        refuse_unwritable(numbered(self.path, 1))

    def losses(self, source: Source, info: FilmInfo, plan: Plan, folder: Path) -> list[str]:
        """Everything but the pictures."""
        with source.original() as original:
            if original is None:
                return []
            others = [stream.type for stream in original.streams if stream is not main_stream(original)]
        return [f"no {' and '.join(sorted(set(others)))}"] if others else []

    def segments(
        self, frames: Iterator[Restored], folder: Path, plan: Plan, wishes: Wishes, begun: int
    ) -> Iterator[Segment]:
        """Write pictures: each is a segment of its own."""
        for number, frame in enumerate(frames, begun + 1):
            path = numbered(self.path, number)
            write_picture(picture_of(frame, plan), path)
            yield _noted([frame.note], path, f"../{path.name}")

    def assemble(self, source: Source, info: FilmInfo, wishes: Wishes, journal: Journal) -> None:
        """Nothing is left to do."""


def _pieces(frames: Iterator[Restored], wishes: Wishes) -> Iterator[Iterator[Restored]]:
    length = number = 0

    def piece_of(frame: Restored) -> int:
        nonlocal length, number
        if length >= wishes.longest or (frame.begins_scene and length >= wishes.shortest):
            length, number = 0, number + 1
        length += 1
        return number

    return (group for _, group in groupby(frames, piece_of))


def _write_segment(frames: Iterator[Restored], path: Path, plan: Plan) -> Segment:
    notes: list[Note] = []
    with open_segment(path, plan.pictures) as writer:
        for frame in frames:
            writer.add(frame.image)
            notes.append(frame.note)
    return _noted(notes, path, path.name, writer.delay)


def _noted(notes: list[Note], path: Path, name: str, delay: int = 0) -> Segment:
    """What the journal notes of frames that are safe on the disk."""
    return Segment(
        file=name,
        pts=[note.pts for note in notes],
        duration=notes[-1].duration,
        delay=delay,
        bytes=path.stat().st_size,
        sha256=hash_of(path),
        repeated=sum(note.repeated for note in notes),
        asked=sum(note.asked for note in notes),
        reused=sum(note.reused for note in notes),
    )


def _refuse_container(target: Path, plan: Plan) -> None:
    """Make sure that a file of this name can hold such pictures.

    Raises:
        UsageError: if it cannot.
    """
    codec = plan.pictures.encoding.codec
    suffix, known = target.suffix.lower(), CODECS[codec]
    if suffix not in FORMATS or suffix not in known.suffixes:
        raise UsageError(f"{target} cannot hold {codec} pictures", got=suffix, allowed=known.suffixes)
    if (
        plan.pictures.sample_aspect_ratio != 1
        and not known.holds_shape
        and suffix not in {".mp4", ".m4v", ".mov"}
    ):
        raise UsageError(
            f"{suffix} cannot tell players that the pixels of {codec} pictures are no squares",
            got=f"a pixel shape of {plan.pictures.sample_aspect_ratio}",
            hint="choose --codec x265, or .mp4 with -o",
        )
    if plan.pictures.mastering and not known.holds_mastering:
        able = [name for name, item in CODECS.items() if item.holds_mastering]
        raise UsageError(f"{codec} cannot hold the film's HDR10 data", allowed=able)
