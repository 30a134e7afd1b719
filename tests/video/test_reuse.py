from collections.abc import Callable

import numpy as np

from relume.backends import Backend
from relume.video.reuse import RememberingBackend


class Counting(Backend):
    name, device = "counting", "cpu"

    def __init__(self) -> None:
        self.runs = 0
        self.buffer = np.zeros((1, 4, 4, 3), np.float32)

    def start(self, batch: np.ndarray, depth: type = np.float32) -> Callable[[], np.ndarray]:
        return lambda: self.compute(batch)

    def compute(self, batch: np.ndarray) -> np.ndarray:
        self.runs += 1
        self.buffer[:] = batch + 1  # the same memory for every result
        return self.buffer

    def close(self) -> None: ...


def test_equal_tiles_of_two_frames_are_computed_once():
    inner = Counting()
    backend = RememberingBackend(inner)
    still, moving = (np.full((1, 4, 4, 3), value, np.float32) for value in (0.25, 0.5))
    for number in range(3):
        backend.begin_frame()
        assert (backend.run(still) == 1.25).all()
        moving += np.float32(number // 2)
        assert (backend.run(moving) == moving + 1).all()
    assert inner.runs == 3  # still once, moving at 0.5 (in two frames) and 1.5
    assert (backend.savings.asked, backend.savings.reused) == (6 * 16, 3 * 16)


def test_the_next_tile_may_be_started_before_the_one_before_is_asked_for():
    inner = Counting()
    backend = RememberingBackend(inner)
    tiles = [np.full((1, 4, 4, 3), value, np.float32) for value in (0.25, 0.5, 0.75)]
    for _ in range(2):
        backend.begin_frame()
        first, second = backend.start(tiles[0]), backend.start(tiles[1])
        assert (first() == 1.25).all()
        third = backend.start(tiles[2])
        assert (second() == 1.5).all()
        assert (third() == 1.75).all()
    assert inner.runs == 3
