import numpy as np

from relume.video.reuse import RememberingBackend


class Counting:
    name, device = "counting", "cpu"

    def __init__(self) -> None:
        self.runs = 0
        self.buffer = np.zeros((1, 4, 4, 3), np.float32)

    def run(self, batch: np.ndarray, depth: type = np.float32) -> np.ndarray:
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
