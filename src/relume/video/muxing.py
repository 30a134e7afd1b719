"""The finished film: restored pictures, and everything else of the original as it was."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from relume.errors import UsageError
from relume.video.decoding import is_cover, is_timecode, main_stream, with_title
from relume.video.film import DEFAULT_RATE, Excerpt
from relume.video.segments import packets_of, writing
from relume.video.tags import Tags

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

FORMATS: Final = {
    ".mkv": "matroska",
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".webm": "webm",
    ".ts": "mpegts",
}
"""Suffix of a film -> FFmpeg's name of the container."""


_MP4_OPTIONS: Final = {"movflags": "+faststart+use_metadata_tags"}
_OPTIONS: Final = {
    "mp4": _MP4_OPTIONS,
    "mov": _MP4_OPTIONS,
    "matroska": {"avoid_negative_ts": "disabled"},  # else sound that begins before zero moves all to later
}
"""What FFmpeg's muxers are told."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When the restored frames are shown.

    Attributes:
        time_base: seconds per unit.
        pts: of every frame, in that unit, as in the original.
        duration: of the last frame; 0 if that is not told.
        delay: frames that the coded order is behind the shown order at most.
    """

    time_base: Fraction
    pts: Sequence[int]
    duration: int
    delay: int

    def step(self, number: int) -> int:
        """For how long a frame is shown."""
        if number + 1 < len(self.pts):
            return self.pts[number + 1] - self.pts[number]
        return self.duration or (self.pts[-1] - self.pts[-2] if len(self.pts) > 1 else 1)

    def dts(self, place: int) -> int:
        """When the packet at a place in coded order is decoded: never after it is shown, and ever later."""
        early = place - self.delay
        return self.pts[early] if early >= 0 else self.pts[0] + early * self.step(0)


def mux(
    source: "InputContainer | None",
    folder: Path,
    files: Sequence[str],
    timing: Timing,
    tags: Tags,
    excerpt: Excerpt,
    temporary: Path,
    target: Path,
    most: int | None = None,
) -> None:
    """Write the film.

    Args:
        source: the original, open at its beginning; None if it has nothing but pictures.
        folder: where the segments are.
        files: their names in order.
        timing: of the frames in them.
        tags: of the original.
        excerpt: the part of the original that is wanted; unless it is the whole, it begins at zero.
        temporary: the file to write.
        target: what it will be called; decides the container.
        most: packets to copy of the original; None: all.

    Raises:
        OutputError: if it cannot be written.
        UsageError: if the container cannot hold a stream of the original; data are left out.
    """
    import av

    shift = Fraction(0) if excerpt.whole else timing.pts[0] * timing.time_base
    format = FORMATS[target.suffix.lower()]
    options = _OPTIONS.get(format, {})
    with (
        av.open(str(folder / files[0])) as first,
        writing(temporary, target, format, **options) as container,
    ):
        restored = first.streams.video[0]
        places: dict[int, Stream] = {}
        main = None
        for stream in filter(partial(_fits, format), source.streams if source else ()):
            is_main = source is not None and stream is main_stream(source)
            places[stream.index] = _add_stream(container, restored if is_main else stream, stream, target)
            main = places[stream.index] if is_main else main
        main = main or container.add_stream_from_template(restored, opaque=True)
        _describe(main, timing, tags)
        if options is _MP4_OPTIONS:
            _count_frames(main, restored.average_rate or DEFAULT_RATE)
        if source:
            container.metadata.update(source.metadata)
            container.set_chapters(_shifted_chapters(source, shift, excerpt))
        pictures = _pictures(folder, files, timing, shift, main)
        copied = _copied(source, places, shift, excerpt) if source else iter(())
        for _, packet in heapq.merge(pictures, islice(copied, most), key=lambda item: item[0]):
            container.mux(packet)


def _fits(format: str, stream: "Stream") -> bool:
    """Whether a container takes a stream, as far as nothing but trying tells: that of data.

    Time codes it writes itself, of the pictures' metadata.
    """
    import av
    from av.error import FFmpegError

    if stream.type != "data":
        return True
    try:
        with av.open(BytesIO(), "w", format=format) as tried:
            tried.add_stream_from_template(stream)
            tried.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return not is_timecode(stream)


def _add_stream(container: "OutputContainer", template: "Stream", stream: "Stream", target: Path) -> "Stream":
    """Add a stream that is coded as the template and described as the original's stream."""
    try:
        added = container.add_stream_from_template(template, opaque=True)
    except ValueError as error:
        raise _cannot_hold(target, stream) from error
    added.metadata.update(with_title(stream.metadata))
    added.disposition = stream.disposition
    return added


def _describe(video: Any, timing: Timing, tags: Tags) -> None:
    """Tell what the stream of restored pictures does not tell itself."""
    video.time_base = timing.time_base
    video.codec_context.sample_aspect_ratio = tags.sample_aspect_ratio
    video.set_display_matrix(tags.display_matrix)


def _count_frames(video: Any, rate: Fraction) -> None:
    """Tell the rate that time codes are written with."""
    video.codec_context.framerate = rate


def _cannot_hold(target: Path, stream: "Stream") -> UsageError:
    name = getattr(stream, "name", None) or "unknown"
    return UsageError(
        f"{target} cannot hold stream {stream.index} of the film",
        got=f"{stream.type} ({name})",
        hint="choose another container with -o: .mkv holds nearly everything",
    )


def _pictures(
    folder: Path, files: Sequence[str], timing: Timing, shift: Fraction, stream: "Stream"
) -> "Iterator[tuple[Fraction, Packet[Any]]]":
    offset = round(shift / timing.time_base)
    for place, (number, packet) in enumerate(packets_of(folder, files)):
        packet.time_base = timing.time_base
        packet.pts = timing.pts[number] - offset
        packet.dts = timing.dts(place) - offset
        packet.duration = timing.step(number)
        packet.stream = stream
        yield packet.dts * timing.time_base, packet


def _copied(
    source: "InputContainer", places: "dict[int, Stream]", shift: Fraction, excerpt: Excerpt
) -> "Iterator[tuple[Fraction, Packet[Any]]]":
    """Packets of all other streams, with the times that they sort by: those of the file, never going back."""
    main = main_stream(source)
    others = [
        stream
        for stream in source.streams
        if stream is not main and stream.type != "attachment" and stream.index in places
    ]
    latest = Fraction(-(10**9))
    for packet in source.demux(others) if others else ():
        if not packet.size:
            continue
        place = packet.pts if packet.pts is not None else packet.dts
        cover = is_cover(packet.stream)
        if place is not None and not cover:
            if not excerpt.holds(place * packet.time_base):
                continue
            offset = round(shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - offset
            packet.dts = None if packet.dts is None else packet.dts - offset
            when = packet.dts if packet.dts is not None else packet.pts
            latest = max(latest, (when or 0) * packet.time_base)
        packet.stream = places[packet.stream_index]
        yield latest, packet


def _shifted_chapters(source: "InputContainer", shift: Fraction, excerpt: Excerpt) -> list[Any]:
    """The chapters that reach into the excerpt."""
    found: list[Any] = []
    for chapter in source.chapters():
        unit = chapter["time_base"] or Fraction(1, 1000)
        start, end = chapter["start"] * unit, chapter["end"] * unit
        if end <= excerpt.start or (excerpt.end is not None and start >= excerpt.end):
            continue
        last = end if excerpt.end is None else min(end, excerpt.end)
        moved = {"start": max(0, round((start - shift) / unit)) if shift else chapter["start"]}
        found.append({**chapter, **moved, "end": round((last - shift) / unit)})
    return found
