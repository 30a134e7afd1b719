"""Many files through one network that never waits: others are read and written meanwhile.

A bad file does not stop the rest.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Protocol, TypeVar

from relume.errors import OutOfMemory
from relume.jobs.naming import Job, make_result_folder
from relume.machine import free_ram, num_threads

T = TypeVar("T")

READ_AHEAD = 2
"""Files that are read before their turn."""

Tell = Callable[[int, int], None]
"""Called with how many of how many parts of a file are done."""

Advance = Callable[[float, float, str], None]
"""Called with how many files are done, of how many, and which one is worked on."""


@dataclass(frozen=True)
class Written:
    """What a result is like.

    Attributes:
        scale: output columns per input column.
        width: output columns.
        height: output rows.
    """

    scale: float
    width: int
    height: int


class Stages(Protocol):
    """How one kind of file is worked on. Reading and writing happen in threads of their own."""

    def weigh(self, source: Path) -> int:
        """The most bytes that a file holds on its way, without what the network needs; 0 if unknown."""
        ...

    def load(self, source: Path) -> Any:
        """Read a file."""
        ...

    def work(self, loaded: Any, tell: Tell) -> Any:
        """Run the network on what was loaded; never two at a time."""
        ...

    def begin_saving(self, worked: Any, begin: Callable[[], T]) -> T:
        """Call what makes another thread :meth:`save`, and give what it gives.

        What is still to be made of the result is made here, in the network's thread, while it is written; if
        that fails, the saving does, too.
        """
        ...

    def save(self, worked: Any, target: Path) -> Written:
        """Write the result; it appears when it is complete."""
        ...


@dataclass(frozen=True)
class Done:
    """A file whose result was written.

    Attributes:
        job: input and output.
        scale: see :class:`Written`.
        width: see :class:`Written`.
        height: see :class:`Written`.
        seconds: time of reading, restoring and writing.
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
    """A file without a result.

    Attributes:
        job: input and planned output.
        error: why.
    """

    job: Job
    error: Exception


def restore_files(
    jobs: Sequence[Job],
    stages_of: Callable[[Job], Stages],
    advance: Advance,
    writing: Callable[[Job], AbstractContextManager[None]] = lambda job: nullcontext(),
) -> Iterator[Done | Failed]:
    """Read, restore and write files. Failures are yielded, not raised; outcomes come in order of the jobs.

    If the run is interrupted, the outcomes of what is being written come before the exception.

    The network runs in the caller's thread. As many files are on their way at a time as half of the free
    memory holds, but always one.

    Args:
        jobs: inputs and outputs; folders of outputs are made.
        stages_of: how a file is worked on.
        advance: told about progress, also within a file.
        writing: entered while a result is written, and left with the error if it cannot be.
    """
    line = _Line(jobs, stages_of, advance, writing)
    try:
        yield from line.run()
    except KeyboardInterrupt:
        line.stop()
        yield from line.finished()
        raise
    finally:
        line.stop()


@dataclass(frozen=True)
class _Item:
    """A file on its way through."""

    index: int
    job: Job
    stages: Stages
    weight: int


class _Line:
    """The files that are on their way: ahead of the network, being read, then behind it, being written."""

    def __init__(
        self,
        jobs: Sequence[Job],
        stages_of: Callable[[Job], Stages],
        advance: Advance,
        writing: Callable[[Job], AbstractContextManager[None]],
    ):
        self._num_jobs = len(jobs)
        self._waiting = map(partial(_item, stages_of), count(), jobs)
        self._next = next(self._waiting, None)
        self._advance = advance
        self._writing = writing
        self._ahead: deque[tuple[_Item, Future[_Timed]]] = deque()
        self._behind: deque[tuple[_Item, Future[Done]]] = deque()
        self._budget = free_ram() // 2
        self._num_writers = num_threads()
        self._reader = ThreadPoolExecutor(1, "read")
        self._writers = ThreadPoolExecutor(self._num_writers, "write")

    def run(self) -> Iterator[Done | Failed]:
        while self._next or self._ahead:
            self._read_ahead()
            while not self._ahead or len(self._behind) > self._num_writers:
                yield self._oldest()
                self._read_ahead()
            item, loading = self._ahead.popleft()
            self._behind.append((item, self._process(item, loading)))
            while self._behind and self._behind[0][1].done():
                yield self._oldest()
        while self._behind:
            yield self._oldest()

    def stop(self) -> None:
        """Wait for what is being written; what waits for that is dropped."""
        self._reader.shutdown(cancel_futures=True)
        self._writers.shutdown(cancel_futures=True)

    def finished(self) -> Iterator[Done | Failed]:
        """After :meth:`stop`: what was written to the end, or failed of itself."""
        while self._behind:
            saving = self._behind[0][1]
            if saving.cancelled() or isinstance(saving.exception(), KeyboardInterrupt):
                self._behind.popleft()
            else:
                yield self._oldest()

    def _read_ahead(self) -> None:
        while self._next and len(self._ahead) < READ_AHEAD and self._has_room_for(self._next):
            self._ahead.append((self._next, self._reader.submit(_load, self._next)))
            self._next = next(self._waiting, None)

    def _has_room_for(self, item: _Item) -> bool:
        held = [other.weight for other, _ in (*self._ahead, *self._behind)]
        return not held or sum(held) + item.weight <= self._budget

    def _process(self, item: _Item, loading: "Future[_Timed]") -> "Future[Done]":
        """Run the network on a file, and begin to write the result."""

        def tell(done: int, total: int) -> None:
            self._advance(item.index + done / total, self._num_jobs, str(item.job.source))

        tell(0, 1)
        try:
            loaded = loading.result()
            start = perf_counter()
            try:
                worked = item.stages.work(loaded.result, tell)
            except (MemoryError, OutOfMemory):
                if not self._behind and not self._ahead:
                    raise
                wait([future for _, future in self._behind])  # what they hold may be enough
                worked = item.stages.work(loaded.result, tell)
            timed = _Timed(worked, loaded.seconds + perf_counter() - start)
        except Exception as error:
            failed: Future[Done] = Future()
            failed.set_exception(error)
            return failed
        return item.stages.begin_saving(
            worked, lambda: self._writers.submit(_save, item, timed, self._writing)
        )

    def _oldest(self) -> Done | Failed:
        """The outcome of the file that went first through the network, when it is written."""
        item, saving = self._behind[0]
        try:
            outcome = saving.result()
        except MemoryError:
            hint = "try a smaller --tile"
            outcome = Failed(item.job, OutOfMemory(f"not enough memory for {item.job.source}", hint=hint))
        except Exception as error:
            outcome = Failed(item.job, error)
        self._behind.popleft()
        return outcome


class _Timed(NamedTuple):
    """What stages gave so far, and the seconds they took."""

    result: Any
    seconds: float


def _item(stages_of: Callable[[Job], Stages], index: int, job: Job) -> _Item:
    stages = stages_of(job)
    return _Item(index, job, stages, stages.weigh(job.source))


def _load(item: _Item) -> _Timed:
    start = perf_counter()
    make_result_folder(item.job)
    return _Timed(item.stages.load(item.job.source), perf_counter() - start)


def _save(item: _Item, worked: _Timed, writing: Callable[[Job], AbstractContextManager[None]]) -> Done:
    start = perf_counter()
    with writing(item.job):
        written = item.stages.save(worked.result, item.job.target)
    seconds = round(worked.seconds + perf_counter() - start, 3)
    return Done(job=item.job, **vars(written), seconds=seconds, peak_rss_mb=round(peak_rss() / 1e6, 1))


def peak_rss() -> int:
    """The most memory that this process has held so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the parent held when it started this process
        fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return 1024 * int(fields["VmHWM"].split()[0])
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
