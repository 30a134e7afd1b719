from collections.abc import Iterator
from itertools import count
from threading import Event, active_count

import pytest

from relume.video import ahead as ahead_module
from relume.video.ahead import ahead, still_at_work


def test_items_come_in_order_and_not_all_at_once():
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with ahead(items(), 3, Event()) as found:
        for number in found:
            assert len(made) <= number + 6
    assert made == list(range(50))


def test_leaving_ends_the_threads():
    before = active_count()
    stop = Event()
    with ahead(count(), 2, stop) as numbers, ahead((n * n for n in numbers), 2, stop) as squares:
        assert [next(squares) for _ in range(4)] == [0, 1, 4, 9]
    assert active_count() == before


def test_errors_arrive_where_the_items_are_used():
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    stop = Event()
    with (
        pytest.raises(ValueError, match="broken"),
        ahead(broken(), 2, stop) as one,
        ahead((number + 1 for number in one), 2, stop) as two,
    ):
        assert list(two) == [2]


def test_an_item_that_takes_for_ever_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead_module, "grace_s", 0.01)
    begun, release = Event(), Event()

    def endless() -> Iterator[int]:
        begun.set()
        release.wait()
        yield 1

    with ahead(endless(), 1, Event()):
        begun.wait()
    assert still_at_work()
    release.set()
    while still_at_work():
        pass
