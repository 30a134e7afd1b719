"""Where films come from and where they go: files, numbered pictures, standard input and output."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from relume.cli.streams import STREAM
from relume.errors import OutputError, UsageError
from relume.jobs.discovery import Found, find_pictures
from relume.jobs.naming import Job, plan_jobs

if TYPE_CHECKING:
    from relume.video.sources import Source
    from relume.video.targets import Target

SUFFIXES = (
    *(
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".ts",
        ".mts",
        ".m2ts",
        ".mpg",
        ".mpeg",
        ".m2v",
        ".vob",
    ),
    *(".wmv", ".flv", ".ogv", ".3gp", ".mxf", ".dv", ".nut", ".y4m"),
)
"""Names that films usually have: what else is given is a picture."""

_KEEPS_CONTAINER = {".mp4": ".mp4", ".m4v": ".mp4", ".mov": ".mov", ".mkv": ".mkv", ".webm": ".mkv"}
_Y4M_BEGINS = b"YUV4MPEG2"


@dataclass(frozen=True)
class FilmJob:
    """A film to restore.

    Attributes:
        source: where its frames come from.
        target: what it becomes; None: Y4M on standard output.
    """

    source: "Source"
    target: "Target | None"

    @property
    def uncoded(self) -> str | None:
        """What takes the place of a codec, a key of ``relume.video.codecs.UNCODED``; None for films."""
        from relume.video.targets import PicturesTarget

        if self.target is None:
            return "y4m"
        return "pictures" if isinstance(self.target, PicturesTarget) else None

    @property
    def names(self) -> Job:
        """Input and output as reports name them."""
        target = Path(str(self.target or STREAM))
        return Job(Path(str(self.source)), target, target.parent)


def are_films(inputs: Sequence[str], fps: str | None) -> bool:
    """Whether the inputs are films, or pictures that make one.

    Raises:
        UsageError: if some are and others are not.
    """
    if fps is not None:
        return True
    films = [name for name in inputs if _is_film(name)]
    if films and len(films) < len(inputs):
        other = next(name for name in inputs if name not in films)
        raise UsageError("films and pictures are mixed", got=f"{films[0]}, {other}", hint="name them apart")
    return bool(films)


def _is_film(name: str) -> bool:
    if name == STREAM:
        return isinstance(sys.stdin.buffer, BufferedReader) and sys.stdin.buffer.peek(
            len(_Y4M_BEGINS)
        ).startswith(_Y4M_BEGINS)
    return (Path(name).suffix.lower() in SUFFIXES or _is_pattern(name)) and not Path(name).is_dir()


def _is_pattern(name: str) -> bool:
    return "%" in Path(name).name and not Path(name).exists() and Path(name).suffix.lower() not in SUFFIXES


def plan_films(
    inputs: Sequence[str],
    output: str | None,
    *,
    ending: str,
    codec: str,
    format: str | None,
    fps: str | None,
) -> list[FilmJob]:
    """The films with what they become: by default in the container of the original, if it holds the codec.

    Args:
        inputs: as on the command line.
        output: of ``-o``.
        ending: what names of results end in.
        codec: of results that are films.
        format: of results that are pictures; None: they are films, unless ``output`` has a number in it.
        fps: frames per second of pictures that make a film.

    Raises:
        UsageError: if several films would go to one place, or nothing is found.
        InputError: if pictures are missing.
    """
    from relume.video.picture_files import is_numbered
    from relume.video.targets import PicturesTarget

    if output == STREAM or (output is None and STREAM in inputs):
        return [FilmJob(_only(_sources(inputs, fps), "standard output"), None)]
    if output is not None and is_numbered(output) and Path(output).suffix.lower() not in SUFFIXES:
        return [
            FilmJob(_only(_sources(inputs, fps), output), PicturesTarget(_with_suffix(Path(output), format)))
        ]
    if format is not None and f".{format.removeprefix('.').lower()}" in SUFFIXES:
        raise UsageError("-f is for pictures", got=format, hint=f"choose a container by -o NAME.{format}")
    sources = {_place(source): source for source in _sources(inputs, fps)}
    jobs = plan_jobs([Found(path) for path in sources], output, ending=ending, suffix_for=_suffix_for(codec))
    return [FilmJob(sources[job.source], _target(job.target, format)) for job in jobs]


def _sources(inputs: Sequence[str], fps: str | None) -> "list[Source]":
    from relume.image import READABLE_SUFFIXES
    from relume.video.film import DEFAULT_RATE
    from relume.video.picture_files import find_numbered
    from relume.video.sources import FilmFile, PictureFiles, PipedFilm

    rate = DEFAULT_RATE if fps is None else _rate(fps)
    sources: list[Source] = []
    for name in inputs:
        if name == STREAM:
            sources.append(PipedFilm(sys.stdin.buffer))
        elif _is_pattern(name):
            sources.append(PictureFiles(name, find_numbered(Path(name)), rate))
        elif fps is not None and Path(name).suffix.lower() in SUFFIXES and not Path(name).is_dir():
            raise UsageError("--fps is for pictures that make a film", got=name)
        elif fps is not None:
            pictures = [item.path for item in find_pictures([name], READABLE_SUFFIXES).pictures]
            sources.append(PictureFiles(name, sorted(pictures, key=_in_order), rate))
        else:
            sources += [FilmFile(item.path) for item in find_pictures([name], SUFFIXES).pictures]
    return sources


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
        if not 0 < rate <= 1000:
            raise ValueError
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            "--fps is no rate", got=text, allowed="frames per second, as 25 or 24000/1001"
        ) from error
    return rate.limit_denominator(1001)


def _in_order(path: Path) -> list[str | int]:
    """By the numbers in the name as numbers: frame 9 before frame 10."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if number % 2 else part for number, part in enumerate(parts)]


def _place(source: "Source") -> Path:
    """What the result is named after."""
    from relume.video.sources import FilmFile, PictureFiles

    if isinstance(source, FilmFile):
        return source.path
    if isinstance(source, PictureFiles):
        name = Path(source.name)
        folder = name if name.is_dir() else name.parent
        return folder if folder.name not in {"", ".."} else folder.resolve()
    return Path("stdin")


def _only(sources: "list[Source]", place: str) -> "Source":
    if len(sources) != 1:
        raise UsageError(f"{place} takes a single film", got=f"{len(sources)} films")
    return sources[0]


def _suffix_for(codec: str) -> Callable[[str], str]:
    from relume.video.codecs import CODECS

    if codec not in CODECS:
        raise UsageError("unknown codec", got=codec, allowed=CODECS)
    suffixes = CODECS[codec].suffixes

    def suffix_for(suffix: str) -> str:
        same = _KEEPS_CONTAINER.get(suffix)
        return same if same in suffixes else suffixes[0]

    return suffix_for


def _target(film: Path, format: str | None) -> "Target":
    """The film, or numbered pictures in a folder of its name."""
    from relume.video.targets import FilmTarget, PicturesTarget

    if format is None:
        return FilmTarget(film)
    return PicturesTarget(_with_suffix(film.with_suffix("") / "%06d", format))


def _with_suffix(pattern: Path, format: str | None) -> Path:
    """The pattern of files of a format.

    Raises:
        UsageError: if its suffix means another one, or none, or an animation.
    """
    from relume.image import WRITABLE_FORMATS
    from relume.image.writing import format_for

    try:
        named = format_for(pattern, format)
        if pattern.suffix and format_for(pattern, None) != named:
            raise UsageError(f"-o {pattern} and -f {format} disagree", hint="leave one of them out")
    except OutputError as error:
        raise UsageError(error.what, got=error.got, allowed=error.allowed) from error
    if named == "GIF":
        stills = [name for name in WRITABLE_FORMATS if name != "GIF"]
        raise UsageError(
            "films do not become GIFs", allowed=stills, hint="each frame is a picture of its own"
        )
    return pattern if pattern.suffix else pattern.with_name(pattern.name + WRITABLE_FORMATS[named][0])
