"""Files that are whole or not there at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock

from relume.errors import OutputError

_ONE_AT_A_TIME = Lock()


@contextmanager
def replacing(path: str | Path, folder: Path | None = None) -> Generator[Path]:
    """Give a temporary path beside ``path``; on success it becomes ``path``, on failure it disappears.

    The file is flushed to the disk before it gets its final name, and so is the folder afterwards, so that
    a file under its final name is complete, whatever happens to the process or the machine.

    Args:
        path: the final name; folders above it are made.
        folder: where the temporary file is instead, on the same disk.

    Raises:
        OutputError: if the folder cannot be made or is not writable, or the disk is full.
    """
    path = Path(path)
    temporary = _temporary(path, folder or path.parent)
    try:
        yield temporary
        _finish(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}", got=error.strerror or error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8 as :func:`replacing` does; bytes of file names that are no text are spelled out.

    Raises:
        OutputError: if the folder cannot be made or is not writable, or the disk is full.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def refuse_unwritable(path: Path) -> None:
    """Find out before long work, not after it, that its result could not be written.

    Raises:
        OutputError: if the folder cannot be made or is not writable, or ``path`` is itself a folder.
    """
    if path.is_dir():
        raise OutputError(f"cannot write {path}", got="a folder", allowed="a file")
    _temporary(path, path.parent).unlink()


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that a kill left beside ``path``; nobody may be writing it."""
    for leftover in path.parent.glob(f"{escape(_prefix(path))}????????{escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)


def make_folder(path: Path) -> Path:
    """Make a folder and those above it, unless it is there.

    Raises:
        OutputError: if it cannot be made or is no folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path}", got=error.strerror or error) from error
    return path


def _prefix(path: Path) -> str:
    return f".{path.stem[:40]}."


def _temporary(path: Path, folder: Path) -> Path:
    """A new empty file in a folder, which is made if it is not there, named after ``path``."""
    make_folder(folder)
    try:
        with NamedTemporaryFile(dir=folder, prefix=_prefix(path), suffix=path.suffix, delete=False) as handle:
            return Path(handle.name)
    except OSError as error:
        raise OutputError(f"cannot write {path}", got=error.strerror, hint="choose another folder") from error


def _finish(temporary: Path, path: Path) -> None:
    temporary.chmod(0o666 & ~_umask())
    with temporary.open("rb+") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _umask() -> int:
    with _ONE_AT_A_TIME:  # or a thread reads the 0 that another one sets
        mask = os.umask(0)
        os.umask(mask)
    return mask
