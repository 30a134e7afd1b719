"""A run's folder belongs to one run at a time."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from relume.errors import OutputError, UsageError
from relume.files import make_folder
from relume.train import processes

NAME = ".lock"
"""The file that is locked; it stays when the run is over, and means nothing then."""


@contextmanager
def owned(run_dir: Path) -> Generator[None]:
    """Hold a run's folder, made if missing, which no other run may use meanwhile.

    The system frees it when the process ends, however it ends. A folder made here, into which nothing was
    written, is taken away again. Of several processes of one run the first one holds it for all, so enter
    this before they meet: when it is refused, torchrun ends the others.

    Raises:
        UsageError: if another run holds the folder.
        OutputError: if the folder cannot be made or written to.
    """
    if processes.rank():
        yield
        return
    made = [folder for folder in (run_dir, *run_dir.parents) if not os.path.exists(folder)]
    lock = FileLock(make_folder(run_dir) / NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            f"another training works in {run_dir}", hint="wait for its end, or choose another --run"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {lock.lock_file}", got=error.strerror or error) from error
    try:
        yield
    finally:
        _remove_unused(made)
        lock.release()


def _remove_unused(made: Sequence[Path]) -> None:
    with suppress(OSError):  # as far as nobody else uses them
        if made and [path.name for path in made[0].iterdir()] == [NAME]:
            (made[0] / NAME).unlink()
            for folder in made:
                folder.rmdir()
