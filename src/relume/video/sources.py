"""Where the frames of a film come from: its file, picture files, or standard input."""

import os
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from relume.errors import UsageError
from relume.video.decoding import Readable, open_film
from relume.video.film import Film
from relume.video.interlace import Deinterlace
from relume.video.journal import identity_of
from relume.video.picture_files import PictureFilm

if TYPE_CHECKING:
    from av.container import InputContainer

Y4M_BEGINS: Final = b"YUV4MPEG2"
"""What streams of uncompressed video begin with."""

_HEAD: Final = 1 << 20


class Source(Protocol):
    """Something that frames can be read from; its string is its name."""

    def open(self, deinterlace: Deinterlace) -> AbstractContextManager[Film]:
        """Open it for one pass over its frames.

        Args:
            deinterlace: what is done to interlaced frames.

        Raises:
            InputError: if it cannot be used.
            UsageError: if it cannot be deinterlaced.
        """
        ...

    def identity(self) -> dict[str, Any]:
        """What tells it from others, for the journal."""
        ...

    def original(self) -> "AbstractContextManager[InputContainer | None]":
        """The file whose sound, titles and so on are copied; None if there is nothing but frames."""
        ...


@dataclass(frozen=True)
class FilmFile:
    """A film.

    Attributes:
        path: the file.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def open(self, deinterlace: Deinterlace) -> AbstractContextManager[Film]:
        """See :class:`Source`."""
        return open_film(self.path, deinterlace)

    def identity(self) -> dict[str, Any]:
        """Its size and its ends."""
        return identity_of(self.path)

    @contextmanager
    def original(self) -> "Generator[InputContainer]":
        """Itself, at its beginning."""
        import av

        with av.open(str(self.path), metadata_errors="replace") as container:
            yield container


@dataclass(frozen=True)
class PictureFiles:
    """Pictures that make a film.

    Attributes:
        name: what the user called them.
        paths: the files in order.
        rate: frames per second.
    """

    name: str
    paths: Sequence[Path]
    rate: Fraction

    def __str__(self) -> str:
        return self.name

    def open(self, deinterlace: Deinterlace) -> AbstractContextManager[Film]:
        """See :class:`Source`; pictures are taken as they are."""
        if deinterlace == "on":
            raise UsageError("pictures cannot be deinterlaced", got=f"--deinterlace {deinterlace}")
        return nullcontext(PictureFilm(self.paths, self.rate))

    def identity(self) -> dict[str, Any]:
        """Names and sizes of all, and the ends of the first."""
        sizes = "".join(f"{path.name} {path.stat().st_size}\n" for path in self.paths)
        return {
            "rate": str(self.rate),
            "names_sha256": sha256(os.fsencode(sizes)).hexdigest(),
            **identity_of(self.paths[0]),
        }

    def original(self) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()


class PipedFilm:
    """A stream of Y4M; it can be read once only.

    Args:
        stream: standard input, at its beginning.

    Raises:
        UsageError: if it is something else.
    """

    def __init__(self, stream: Readable):
        self._head = stream.read(_HEAD)
        if not self._head.startswith(Y4M_BEGINS):
            raise UsageError("standard input is no film", got="something else", allowed="Y4M (YUV4MPEG2)")
        self._stream = stream

    def __str__(self) -> str:
        return "standard input"

    def open(self, deinterlace: Deinterlace) -> AbstractContextManager[Film]:
        """See :class:`Source`."""
        return open_film(_Joined(self._head, self._stream), deinterlace)

    def identity(self) -> dict[str, Any]:
        """Its first MiB."""
        return {"begins_sha256": sha256(self._head).hexdigest()}

    def original(self) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()


class _Joined:
    """What was read already, and then the rest; without ``seek``, so that nobody tries."""

    def __init__(self, head: bytes, rest: Readable):
        self._head = BytesIO(head)
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        """See :class:`relume.video.decoding.Readable`."""
        return self._head.read(size) or self._rest.read(size)
