"""CUDA graphs: what a network starts on an NVIDIA GPU, recorded and started again as one."""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor

WORTH_RECORDING = 16
"""Batches of one shape in a row after which they are recorded: a guess, not measured. Recording takes as long
as a few batches and waits for the GPU; it saves a few microseconds a layer."""

_recording = Lock()
"""PyTorch records one graph at a time in a process."""

Network = Callable[[Tensor], Tensor]


class Recording(NamedTuple):
    """A network for one shape.

    Attributes:
        lq: where the batch must lie.
        sr: where the result will lie.
        replay: starts the work on the current stream.
    """

    lq: Tensor
    sr: Tensor
    replay: Callable[[], None]


def record(network: Network, lq: Tensor) -> Recording:
    """Record a network for batches of this shape, after a run to warm up, as PyTorch's notes on CUDA say.

    Args:
        network: what starts nothing but work on the GPU.
        lq: a batch on the GPU.

    Raises:
        RuntimeError: if memory runs out, or the network does what cannot be recorded.
    """
    lq, graph = lq.clone(), torch.cuda.CUDAGraph()
    current, aside = torch.cuda.current_stream(lq.device), torch.cuda.Stream(lq.device)
    aside.wait_stream(current)
    with _recording, torch.cuda.stream(aside):
        network(lq)
        with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):  # other threads go on
            sr = network(lq)
    current.wait_stream(aside)
    return Recording(lq, sr, graph.replay)


class RecordedNetwork:
    """A network that is recorded for a shape that comes often; others run as ever. One recording at a time.

    Args:
        network: NCHW in and out.
        record: records it.
    """

    def __init__(self, network: Network, record: Callable[[Network, Tensor], Recording] = record):
        self._network, self._record = network, record
        self._recording: Recording | None = None
        self._can_record = True
        self._before: torch.Size | None = None
        self._in_a_row = 0

    def __call__(self, lq: Tensor) -> Tensor:
        """Run the network; the result lies in memory that the next batch on this stream overwrites."""
        self._in_a_row = self._in_a_row + 1 if lq.shape == self._before else 1
        self._before = lq.shape
        recording = self._recording_for(lq)
        if recording is None:
            return self._network(lq)
        recording.lq.copy_(lq)
        recording.replay()
        return recording.sr

    def forget(self) -> None:
        """Give back what the recording holds."""
        self._recording = None
        self._in_a_row = 0

    def _recording_for(self, lq: Tensor) -> Recording | None:
        if self._recording and self._recording.lq.shape == lq.shape:
            return self._recording
        if not self._can_record or self._in_a_row <= WORTH_RECORDING:
            return None
        self._recording = None  # first: two would hold twice the memory
        try:
            self._recording = self._record(self._network, lq)
        except RuntimeError:  # out of memory, or nothing that can be recorded: it is only a faster way
            self._can_record = False
        return self._recording
