"""Stages of a pipeline at work at the same time, with a bounded number of things between them."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_LOOK_S = 0.05  # how often a stage that waits for a place looks whether it should stop


class _End:
    """The last thing in a queue: the items are finished, or failed."""

    def __init__(self, error: BaseException | None = None):
        self.error = error


@contextmanager
def ahead(items: Iterable[Item], size: int, stop: Event) -> Generator[Iterator[Item]]:
    """Compute items in a thread of its own while those before are used.

    When the block is left, by whatever way, ``stop`` is set, and the thread ends after the item it is at.

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

    thread = Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield _taken(ready, stop)
    finally:
        stop.set()
        thread.join()


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
