"""Many pictures, one after the other: a bad one does not stop the others."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from relume.errors import OutOfMemory, OutputError
from relume.jobs.files import Job

if TYPE_CHECKING:
    from relume.image import Picture, Strips

Restore = Callable[["Picture", Callable[[int, int], None]], "Picture | Strips"]
"""What is done to a picture; it tells its second argument how many of how many parts are done."""

Advance = Callable[[float, float, str], None]
"""Called with how many pictures are done, of how many, and which one is worked on."""


@dataclass(frozen=True)
class Done:
    """A picture that was written.

    Attributes:
        job: input and output.
        scale: output columns per input column.
        width: output columns.
        height: output rows.
        seconds: wall time of reading, restoring and writing.
        peak_rss_mb: the most memory that the process has held so far, in 10⁶ bytes.
    """

    job: Job
    scale: float
    width: int
    height: int
    seconds: float
    peak_rss_mb: float


@dataclass(frozen=True)
class Failed:
    """A picture without a result.

    Attributes:
        job: input and planned output.
        error: why.
    """

    job: Job
    error: Exception


def restore_files(jobs: Sequence[Job], restore: Restore, advance: Advance) -> Iterator[Done | Failed]:
    """Read, restore and write pictures. Failures are yielded, not raised.

    Args:
        jobs: inputs and outputs; folders of outputs are made.
        restore: what is done to each picture.
        advance: told about progress, also within a picture.
    """
    for index, job in enumerate(jobs):

        def tell(part: float, begun: int = index, name: str = str(job.source)) -> None:
            advance(begun + part, len(jobs), name)

        tell(0)
        try:
            yield _restore(job, restore, tell)
        except MemoryError:
            yield Failed(job, OutOfMemory(f"not enough memory for {job.source}", hint="try a smaller --tile"))
        except Exception as error:
            yield Failed(job, error)


def _restore(job: Job, restore: Restore, tell: Callable[[float], None]) -> Done:
    from relume.image import read_picture, write_picture

    start = perf_counter()
    picture = read_picture(job.source)
    _make_folder(job.target.parent)
    result = restore(picture, lambda done, total: tell(done / total))
    write_picture(result, job.target)
    return Done(
        job=job,
        scale=round(result.width / picture.width, 4),
        width=result.width,
        height=result.height,
        seconds=round(perf_counter() - start, 3),
        peak_rss_mb=round(peak_rss() / 1e6, 1),
    )


def _make_folder(folder: Path) -> None:
    """Make sure that results can be written, before hours are spent on them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}", got=error.strerror) from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"cannot write into the folder {folder}", hint="choose another one with -o")


def peak_rss() -> int:
    """The most memory that this process has held so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
