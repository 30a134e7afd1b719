"""Pieces of the film's pictures, encoded one by one, each a playable file that is closed for good."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from relume.errors import InputError, OutputError
from relume.files import replacing
from relume.video.codecs import CODECS, Encoding, encoder_options
from relume.video.tags import Colour, Mastering

if TYPE_CHECKING:
    from collections.abc import Generator

    from av import Packet, VideoFrame, VideoStream
    from av.container import OutputContainer

SUFFIX: Final = ".mkv"
"""Matroska holds every codec that segments come in, and is readable even if it was cut off."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What all segments of a film share.

    Attributes:
        width: columns.
        height: rows.
        rate: frames per second that encoders plan with; real times are in the journal.
        sample_aspect_ratio: width of a pixel by its height.
        colour: of all frames.
        mastering: HDR10 data, None if there is none.
        encoding: how they are written.
    """

    width: int
    height: int
    rate: Fraction
    sample_aspect_ratio: Fraction
    colour: Colour
    mastering: Mastering | None
    encoding: Encoding


class SegmentWriter:
    """Encodes one segment; see :func:`open_segment`.

    Attributes:
        num_frames: how many frames it was given.
        delay: frames that the coded order is behind the shown order at most, complete when it is closed.
    """

    def __init__(self, container: "OutputContainer", pictures: Pictures):
        self.num_frames = 0
        self.delay = 0
        self._num_packets = 0
        self._container = container
        self._stream = _add_stream(container, pictures)
        self._unit = 1 / pictures.rate

    def add(self, image: "VideoFrame") -> None:
        """Encode the next frame."""
        image.pts = self.num_frames
        image.time_base = self._unit
        with (
            nullcontext() if self.num_frames else _scheduled_as_before()
        ):  # the first frame starts the encoder
            packets = self._stream.encode(image)
        self.num_frames += 1
        self._write(packets)

    def finish(self) -> None:
        """Encode what the encoder holds back."""
        self._write(self._stream.encode(None))

    def _write(self, packets: Sequence["Packet[Any]"]) -> None:
        for packet in packets:
            shown = round((packet.pts or 0) * packet.time_base / self._unit)
            self.delay = max(self.delay, self._num_packets - shown)
            self._num_packets += 1
            self._container.mux(packet)


@contextmanager
def _scheduled_as_before() -> "Generator[None]":
    """Take back that threads become real-time ones.

    Where root runs it, SVT-AV1 does that to the whole process, which would then starve all others, and spin
    for ever where two of its kind wait for each other.
    """
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for task in tasks.iterdir():
            with suppress(OSError):  # a thread that has just ended
                if os.sched_getscheduler(int(task.name)) != policy:
                    os.sched_setscheduler(int(task.name), policy, parameters)


@contextmanager
def open_segment(path: Path, pictures: Pictures) -> "Generator[SegmentWriter]":
    """Write a segment; it appears under its name when the block ends well, and is then safe on the disk.

    Raises:
        OutputError: if it cannot be written, as on a full disk.
    """
    with replacing(path) as temporary, writing(temporary, path, "matroska") as container:
        writer = SegmentWriter(container, pictures)
        yield writer
        writer.finish()


@contextmanager
def writing(temporary: Path, path: Path, format: str, **options: str) -> "Generator[OutputContainer]":
    """Open a container to write; what FFmpeg complains about names the file that was wanted.

    The same packets give the same bytes: no random numbers, no date, no version.
    """
    import av
    from av.error import FFmpegError

    os.environ.setdefault("SVT_LOG", "1")  # errors only: SVT-AV1 would print its settings
    try:
        with av.open(
            str(temporary),
            "w",
            format=format,
            options={"fflags": "+bitexact", **options},
            metadata_errors="replace",
        ) as container:
            yield container
    except FFmpegError as error:
        raise OutputError(f"cannot write {path}", got=error.strerror) from error


def _add_stream(container: "OutputContainer", pictures: Pictures) -> "VideoStream":
    encoding = pictures.encoding
    stream: Any = container.add_stream(
        CODECS[encoding.codec].encoder,
        rate=pictures.rate,
        options=encoder_options(encoding, pictures.mastering),
    )
    stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, encoding.pix_fmt
    context = stream.codec_context
    context.time_base = 1 / pictures.rate
    context.thread_count = encoding.threads
    context.sample_aspect_ratio = pictures.sample_aspect_ratio
    context.color_primaries, context.color_trc = pictures.colour.primaries, pictures.colour.transfer
    context.colorspace, context.color_range = pictures.colour.matrix, pictures.colour.range
    return stream


def packets_of(folder: Path, files: Sequence[str]) -> "Iterator[tuple[int, Packet[Any]]]":
    """The packets of segments in coded order, each with the number of its frame in the whole film.

    Raises:
        InputError: if a segment has other codec settings than the first: players could not go on.
    """
    import av

    begun, extradata = 0, None
    for file in files:
        with av.open(str(folder / file)) as container:
            stream = container.streams.video[0]
            settings = stream.codec_context.extradata
            extradata = settings if extradata is None else extradata
            if settings != extradata:
                raise InputError(
                    f"{folder / file} was encoded by another version of the encoder",
                    hint=f"delete {folder} to begin again",
                )
            packets = [packet for packet in container.demux(stream) if packet.size]
            shown = {pts: number for number, pts in enumerate(sorted(packet.pts or 0 for packet in packets))}
            assert len(shown) == len(packets)
            for packet in packets:
                yield begun + shown[packet.pts or 0], packet
            begun += len(packets)
