"""When a network is recorded; what CUDA records is tried in ``test_torch.py``, where there is a GPU."""

import torch
from torch import Tensor

from relume.backends.cuda_graph import WORTH_RECORDING, Network, RecordedNetwork, Recording

OFTEN = WORTH_RECORDING + 1


class Recorder:
    """Records as CUDA does, with memory of its own for a batch and its result; or fails."""

    def __init__(self, works: bool = True):
        self.works = works
        self.shapes: list[tuple[int, ...]] = []
        self.replays = 0

    def __call__(self, network: Network, lq: Tensor) -> Recording:
        self.shapes.append(tuple(lq.shape))
        if not self.works:
            raise torch.OutOfMemoryError("CUDA out of memory")
        lq = torch.full_like(lq, torch.nan)
        sr = network(lq)

        def replay() -> None:
            self.replays += 1
            sr.copy_(network(lq))

        return Recording(lq, sr, replay)


def run(network: RecordedNetwork, side: int, times: int) -> None:
    for _ in range(times):
        lq = torch.rand(1, 3, side, side)
        assert (network(lq) == 2 * lq).all()


def double(lq: Tensor) -> Tensor:
    return 2 * lq


def test_a_shape_that_comes_often_is_recorded():
    recorder = Recorder()
    network = RecordedNetwork(double, recorder)
    run(network, 4, WORTH_RECORDING)
    assert recorder.shapes == []
    run(network, 4, 10)
    run(network, 5, WORTH_RECORDING)
    run(network, 4, 1)
    assert recorder.shapes == [(1, 3, 4, 4)]
    assert recorder.replays == 11


def test_one_recording_at_a_time():
    recorder = Recorder()
    network = RecordedNetwork(double, recorder)
    for side in (4, 5, 4):
        run(network, side, OFTEN)
    assert [shape[2] for shape in recorder.shapes] == [4, 5, 4]


def test_what_is_forgotten_is_recorded_again_when_it_comes_often():
    recorder = Recorder()
    network = RecordedNetwork(double, recorder)
    run(network, 4, OFTEN)
    network.forget()
    run(network, 4, WORTH_RECORDING)
    assert len(recorder.shapes) == recorder.replays == 1
    run(network, 4, 1)
    assert len(recorder.shapes) == recorder.replays == 2


def test_where_recording_fails_it_is_not_tried_again():
    recorder = Recorder(works=False)
    network = RecordedNetwork(double, recorder)
    for side in (4, 5):
        run(network, side, 2 * OFTEN)
    assert recorder.shapes == [(1, 3, 4, 4)]
