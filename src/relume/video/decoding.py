"""Films that FFmpeg decodes: files, and streams of Y4M."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from relume.errors import InputError
from relume.video.film import DEFAULT_RATE, WHOLE, Excerpt, Film, FilmInfo, Frame
from relume.video.interlace import Deinterlace, Deinterlacer, FieldLook, filter_options
from relume.video.tags import planar, settled_colour, tags_of

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer
    from av.stream import Stream

_PROBED_FRAMES: Final = 48
_PROBED_LATER: Final = 16
_PROBED_PLACES: Final = 3
"""What is looked at before a film is restored: its first frames, and some at places spread over the rest."""

_KEPT_FRAMES: Final = 12
"""Frames that are looked at before a pipe is restored: they are kept until their turn comes."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """So many bytes or fewer; none at the end."""
        ...


class DecodedFilm(Film):
    """What FFmpeg decodes.

    Args:
        container: the open file.
        stream: the stream of pictures.
        info: what it is.
        begun: frames that were decoded already.
    """

    def __init__(
        self,
        container: "InputContainer",
        stream: "VideoStream",
        info: FilmInfo,
        begun: Sequence["VideoFrame"] = (),
    ):
        super().__init__(info)
        self._container = container
        self._stream = stream
        self._begun = begun

    def frames(self, excerpt: Excerpt = WHOLE) -> Iterator[Frame]:
        """Every frame, in the order of time, each later than the one before."""
        last: int | None = None
        step = round(1 / (self.info.rate * self.info.time_base)) or 1
        for image in self._images():
            pts = image.pts if image.pts is not None else 0 if last is None else last + step
            if last is not None and pts <= last:
                pts = last + 1
            last = pts
            seconds = pts * self.info.time_base
            if excerpt.end is not None and seconds >= excerpt.end:
                return
            if excerpt.holds(seconds):
                yield Frame(_planar(image, self.info.pix_fmt), pts, image.duration or 0)

    def frame_at(self, seconds: Fraction) -> Frame | None:
        """The first frame that is shown at a time or later, found by seeking; None after the end."""
        self._container.seek(int(seconds / self.info.time_base), stream=self._stream)
        return next(self.frames(Excerpt(seconds)), None)

    def _images(self) -> Iterator["VideoFrame"]:
        decoded = chain(self._begun, self._decoded())
        options = self.info.deinterlacing
        return Deinterlacer(self._stream, options).frames(decoded) if options else decoded

    def _decoded(self) -> Iterator["VideoFrame"]:
        from av.error import EOFError, InvalidDataError, PatchWelcomeError

        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except EOFError:  # the frames that were decoded before were all there are
                return
            except (InvalidDataError, PatchWelcomeError):
                self.num_damaged += 1


@contextmanager
def open_film(path: Path | Readable, deinterlace: Deinterlace = "auto") -> Generator[DecodedFilm]:
    """Open a film for one pass over its frames.

    Args:
        path: the file; or a stream of Y4M, from which frames can be taken only once.
        deinterlace: what is done to interlaced frames.

    Raises:
        InputError: if it is missing, empty, no film, has no frame that can be decoded, or pixels or colours
            that are not supported.
    """
    with _opened(path) as (container, stream):
        if not isinstance(path, Path):
            begun = _first_frames(container, stream, _KEPT_FRAMES)
            info = _probe([begun], container, stream, "standard input", deinterlace)
            yield DecodedFilm(container, stream, info, begun)
            return
        first = _first_frames(container, stream, _PROBED_FRAMES)
        later = _later_frames(container, stream) if len(first) == _PROBED_FRAMES else []
        info = _probe([first, *later], container, stream, path, deinterlace)
    with _opened(path) as (container, stream):
        yield DecodedFilm(container, stream, info)


_PICTURES: Final = ("_pipe", "image2")
"""How the names of FFmpeg's readers of pictures end."""


@contextmanager
def _opened(path: Path | Readable) -> Generator[tuple["InputContainer", "VideoStream"]]:
    import av
    from av.error import FFmpegError

    name = path if isinstance(path, Path) else "standard input"
    if isinstance(path, Path) and not path.is_file():
        found = "a folder" if path.is_dir() else "no regular file" if path.exists() else "no such file"
        raise InputError(f"cannot read {path}", got=found)
    try:
        if isinstance(path, Path):
            container = av.open(str(path), metadata_errors="replace")
        else:
            container = av.open(path, format="yuv4mpegpipe", mode="r")
    except (FFmpegError, OSError) as error:
        empty = isinstance(path, Path) and not path.stat().st_size
        got = "an empty file" if empty else "no film, or a damaged one"
        raise InputError(f"cannot read {name}", got=f"{got} ({error.strerror})") from error
    with container:
        if isinstance(path, Path) and container.format.name.endswith(_PICTURES):
            raise InputError(f"cannot read {name}", got="a picture", allowed="films")
        stream = main_stream(container)
        if stream is None:
            raise InputError(f"cannot read {name}", got="a file without moving pictures")
        if getattr(stream, "codec_context", None) is None:
            raise InputError(f"cannot read {name}", got="a codec that is not known here")
        stream.codec_context.thread_type = "AUTO"
        yield container, stream


def main_stream(container: "InputContainer") -> "VideoStream | None":
    """The stream that is restored: the first of pictures that is no cover."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_cover(stream: Any) -> bool:
    """Whether a stream of pictures is the file's cover, and no film."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def is_timecode(stream: "Stream") -> bool:
    """Whether a stream tells the time code of the first frame only; the pictures' metadata tell it too."""
    return stream.type == "data" and "timecode" in stream.metadata


def with_title(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a stream with its title under the name that every container takes: MP4 reads ``name``."""
    return {"title" if key == "name" else key: value for key, value in metadata.items()}


def _first_frames(container: "InputContainer", stream: "VideoStream", number: int) -> list["VideoFrame"]:
    from av.error import FFmpegError

    frames: list[VideoFrame] = []
    with suppress(FFmpegError):  # what follows the damage is read later
        frames.extend(islice(container.decode(stream), number))
    return frames


def _later_frames(container: "InputContainer", stream: "VideoStream") -> list[list["VideoFrame"]]:
    """Frames from places spread over a film, as far as these can be found."""
    from av.error import FFmpegError

    places: list[list[VideoFrame]] = []
    for number in range(1, _PROBED_PLACES + 1):
        with suppress(FFmpegError):  # a file without an index
            after = (container.duration or 0) * number // (_PROBED_PLACES + 1)
            container.seek((container.start_time or 0) + after)
            places.append(_first_frames(container, stream, _PROBED_LATER))
    return places


def _probe(
    places: Sequence[Sequence["VideoFrame"]],
    container: "InputContainer",
    stream: "VideoStream",
    name: Path | str,
    deinterlace: Deinterlace,
) -> FilmInfo:
    if not places[0]:
        raise InputError(f"cannot read {name}", got="a film without a frame that can be decoded")
    first = places[0][0]
    tags = tags_of(first, stream)
    pix_fmt = planar(tags.pix_fmt)
    look = FieldLook()
    for frames in places:
        look.go_elsewhere()
        for frame in frames:
            look.add(_planar(frame, pix_fmt))
    marked = any(frame.interlaced_frame for frames in places for frame in frames)
    interlaced = "marked" if marked else "seen" if look.order else "no"
    is_file = isinstance(name, Path)
    return FilmInfo(
        width=first.width,
        height=first.height,
        time_base=stream.time_base or Fraction(1, 1000),
        rate=stream.average_rate or stream.guessed_rate or DEFAULT_RATE,
        num_frames=stream.frames or (_count_packets(container, stream) if is_file else 0),
        codec=stream.codec_context.name,
        tags=tags,
        colour=settled_colour(tags.colour, first.height, rgb=pix_fmt.startswith("gbr")),
        pix_fmt=pix_fmt,
        interlaced=interlaced,
        deinterlacing=filter_options(interlaced, look.order, deinterlace),
    )


def _count_packets(container: "InputContainer", stream: "VideoStream") -> int:
    """Count a stream's packets: one a frame, in nearly all films; reading them decodes nothing."""
    container.seek(0)
    return sum(1 for packet in container.demux(stream) if packet.size)


def _planar(image: "VideoFrame", pix_fmt: str) -> "VideoFrame":
    """The image in a planar layout; only the order of its samples changes."""
    return image if image.format.name == pix_fmt else image.reformat(format=pix_fmt)
