"""Stages of a pipeline at work at the same time, with a bounded number of things between them."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Final, TypeVar

Item = TypeVar("Item")

_LOOK_S = 0.05  # how often a stage that waits for a place looks whether it should stop
_NAME: Final = "relume ahead"

grace_s = 5.0
"""How long is waited for an item that is being computed when nobody wants it any more."""


class _End:
    """The last thing in a queue: the items are finished, or failed."""

    def __init__(self, error: BaseException | None = None):
        self.error = error


@contextmanager
def ahead(items: Iterable[Item], size: int, stop: Event) -> Generator[Iterator[Item]]:
    """Compute items in a thread of its own while those before are used.

    When the block is left, by whatever way, ``stop`` is set, and the thread ends after the item it is at. If
    that takes longer than :data:`grace_s`, it is left alone: see :func:`still_at_work`.

    Args:
        items: computed one after the other, in the thread.
        size: how many may wait; so memory does not grow however long the film is.
        stop: shared by the stages of a pipeline; whoever computes an item for long looks at it.
    """
    ready: Queue[Item | _End] = Queue(size)

    def put(item: Item | _End) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=_LOOK_S)
                return
            except Full:
                continue

    def compute() -> None:
        error = None
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
        except BaseException as raised:
            error = raised
        put(_End(error))

    thread = Thread(target=compute, daemon=True, name=_NAME)
    thread.start()
    try:
        yield _taken(ready, stop)
    finally:
        stop.set()
        thread.join(grace_s)


def still_at_work() -> bool:
    """Whether a thread that nobody waits for any more still computes its item.

    Nothing that it uses may be closed then; a process that wants to end ends at once.
    """
    return any(thread.name == _NAME for thread in enumerate_threads())


def _taken(ready: Queue[Item | _End], stop: Event) -> Iterator[Item]:
    while not stop.is_set():
        try:
            item = ready.get(timeout=_LOOK_S)
        except Empty:
            continue
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return
        yield item
