"""Parts that one thread makes and another writes: whatever fails on either side, neither waits for ever."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident

import numpy as np
import pytest

from relume.image import Picture, Strips
from relume.image.handover import Handover

PART = Picture(np.zeros((4, 5, 3), np.float32))


def strips(made: list[int], fails_at: int = -1, failure: BaseException | None = None) -> Strips:
    def parts() -> Iterator[Picture]:
        for index in range(5):
            if index == fails_at and failure:
                raise failure
            made.append(get_ident())
            yield PART

    return Strips(20, 5, parts())


def hand_over(image: Strips, write: Callable[[Strips], None]) -> None:
    handover = Handover(image)
    with ThreadPoolExecutor(1) as threads:
        writing = handover.make(lambda: threads.submit(handover.receive, write))
        writing.result(timeout=10)


def test_parts_are_made_here_and_received_elsewhere():
    made: list[int] = []
    received: list[int] = []
    hand_over(strips(made), lambda image: received.extend(get_ident() for _ in image.parts))
    assert len(made) == len(received) == 5
    assert set(made) == {get_ident()}
    assert get_ident() not in received


def test_what_fails_here_fails_the_writing():
    written: list[str] = []

    def write(image: Strips) -> None:
        list(image.parts)
        written.append("all")

    with pytest.raises(ValueError, match="third"):
        hand_over(strips([], 2, ValueError("third")), write)
    assert written == []


def test_ctrl_c_ends_the_writing_too():
    ended: list[BaseException] = []

    def write(image: Strips) -> None:
        try:
            list(image.parts)
        except BaseException as error:
            ended.append(error)
            raise

    with pytest.raises(KeyboardInterrupt):
        hand_over(strips([], 2, KeyboardInterrupt()), write)
    assert len(ended) == 1


def test_no_more_is_made_when_the_writing_fails():
    made: list[int] = []

    def write(image: Strips) -> None:
        next(image.parts)
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        hand_over(strips(made), write)
    assert 1 <= len(made) <= 2
