"""The journal of a film that is being restored: which segments are finished, and what the job is."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from relume.errors import InputError, OutputError, UsageError

_NAME: Final = "journal.jsonl"
_CHUNK: Final = 1 << 20
_ASSEMBLED: Final = {"assembled": True}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A finished piece of the film's pictures, a playable file of its own.

    Attributes:
        file: its name in the job's folder.
        pts: when each of its frames is shown, in units of the film's time base.
        duration: of its last frame, in that unit; 0 if that is not told.
        delay: frames that the coded order is behind the shown order at most.
        bytes: size of the file.
        sha256: of the file.
        repeated: frames that were equal to the one before.
        asked: pixels that the network was asked for, less those of repeated frames.
        reused: how many of them were known from the frame before.
    """

    file: str
    pts: list[int]
    duration: int
    delay: int
    bytes: int
    sha256: str
    repeated: int = 0
    asked: int = 0
    reused: int = 0


class Journal:
    """An append-only file; a line is written when what it tells of is safe on the disk.

    Attributes:
        folder: where the segments and the journal are.
        job: what the folder is for: everything that the result depends on.
        segments: the finished ones, in order.
        assembled: whether the result was put together from them.
    """

    def __init__(
        self, folder: Path, job: dict[str, Any], segments: Iterable[Segment] = (), assembled: bool = False
    ):
        self.folder = folder
        self.job = job
        self.segments = list(segments)
        self.assembled = assembled

    @classmethod
    def begin(cls, folder: Path, job: dict[str, Any]) -> Self:
        """Start a job in an existing folder."""
        journal = cls(folder, job)
        journal._append(job)
        return journal

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The journal in a folder, or None if there is none or it does not even say what the job is.

        A last line without its end was being written when the process died: it does not count.
        """
        try:
            lines = (folder / _NAME).read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"cannot read {folder / _NAME}", got=error.strerror) from error
        if not lines:
            return None
        try:
            job, *notes = (json.loads(line) for line in lines)
            segments = [Segment(**note) for note in notes if note != _ASSEMBLED]
            return cls(folder, job, segments, _ASSEMBLED in notes)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{folder / _NAME} is damaged", got=error, hint="delete that folder to begin again"
            ) from error

    @property
    def num_frames(self) -> int:
        """Frames in finished segments."""
        return sum(len(segment.pts) for segment in self.segments)

    def add(self, segment: Segment) -> None:
        """Note a segment that is safe on the disk."""
        self._append(asdict(segment))
        self.segments.append(segment)

    def note_assembled(self) -> None:
        """Note that the result is complete: nothing of the folder is needed any more."""
        self._append(_ASSEMBLED)
        self.assembled = True

    def keep_sound_segments(self) -> None:
        """Forget segments from the first that is missing or not as it was written, and drop stray files."""
        sound = 0
        for segment in self.segments:
            path = self.folder / segment.file
            if not path.is_file() or path.stat().st_size != segment.bytes or hash_of(path) != segment.sha256:
                break
            sound += 1
        del self.segments[sound:]
        self._rewrite()
        known = {_NAME, *(segment.file for segment in self.segments)}
        for path in self.folder.iterdir():
            if path.name not in known:
                path.unlink()

    def refuse_another_job(self, job: Mapping[str, Any]) -> None:
        """Make sure that going on gives what was begun.

        Raises:
            UsageError: if anything that the result depends on is different.
        """
        was, now = _flat(self.job), _flat(job)
        different = [key for key in sorted({*was, *now}) if was.get(key) != now.get(key)]
        if different:
            changes = ", ".join(f"{key} {_told(was, key)} → {_told(now, key)}" for key in different[:3])
            raise UsageError(
                f"{self.folder} holds another job's segments",
                got=changes,
                hint="delete that folder to begin again, or choose another -o",
            )

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            with (self.folder / _NAME).open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {self.folder / _NAME}", got=error.strerror) from error

    def _rewrite(self) -> None:
        from relume.files import replacing

        with replacing(self.folder / _NAME) as temporary:
            lines = [self.job, *(asdict(segment) for segment in self.segments)]
            temporary.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def identity_of(path: Path) -> dict[str, Any]:
    """What tells a film from another without reading hours of it: its size, its first and its last MiB."""
    size = path.stat().st_size
    digest = sha256()
    with path.open("rb") as file:
        digest.update(file.read(_CHUNK))
        file.seek(max(0, size - _CHUNK))
        digest.update(file.read(_CHUNK))
    return {"bytes": size, "ends_sha256": digest.hexdigest()}


def _flat(job: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in job.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _told(job: Mapping[str, Any], key: str) -> str:
    """A setting as it was asked; one that was not asked has no value."""
    value = job.get(key)
    return "not set" if value is None else str(value)
