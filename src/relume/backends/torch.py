"""PyTorch, where it is installed: NVIDIA and Apple GPUs, and networks that are still in training."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from relume.archs import build
from relume.backends.base import Backend, Batch, Depth, Started, cannot_load, cannot_run
from relume.backends.cuda_graph import RecordedNetwork
from relume.card import ModelCard

Result = TypeVar("Result")


class TorchBackend(Backend):
    """A network in evaluation mode.

    On NVIDIA's GPUs a start puts copies and work on the current stream, one after the other, and returns.
    Batches and results pass through pinned memory, which PyTorch keeps for the next, but does not give out
    again before the copies are done.

    Args:
        network: NCHW in [0, 1] in and out, with branches merged; it is moved to the device.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: of weights and activations; float32 as trained, or a shorter one that is faster and less exact.
            The batch is moved before it is shortened, and the result is clipped and rounded from float32.
    """

    name = "torch"

    def __init__(self, network: nn.Module, device: str = "cpu", dtype: torch.dtype = torch.float32):
        self.device = "cuda:0" if device == "cuda" else device
        self._dtype = dtype
        network.eval().to(self.device, dtype)
        network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._recorded = RecordedNetwork(network) if self._is_cuda else None
        self._network = self._recorded or network

    @property
    def _is_cuda(self) -> bool:
        return self.device.startswith("cuda")

    def start(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """See :meth:`relume.backends.base.Backend.start`."""
        if self._is_cuda:
            return partial(self._guarded, self._guarded(partial(self._begin, batch, depth)))
        return partial(self._guarded, partial(self._compute, batch, depth))

    def _compute(self, batch: Batch, depth: Depth) -> NDArray[Any]:
        lq = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
        return self._restore(lq, depth).cpu().numpy()

    def _begin(self, batch: Batch, depth: Depth) -> Started:
        """Start all and wait for nothing."""
        lq = torch.empty(batch.shape, dtype=torch.float32, pin_memory=True)
        lq.numpy()[:] = batch
        sr = self._restore(lq.to(self.device, non_blocking=True), depth)
        result = torch.empty(sr.shape, dtype=sr.dtype, pin_memory=True)
        result.copy_(sr, non_blocking=True)
        done = torch.cuda.Event(blocking=True)  # who waits leaves the processor to others
        done.record(torch.cuda.current_stream(self.device))

        def wait() -> NDArray[Any]:
            done.synchronize()
            return result.numpy()

        return wait

    def _restore(self, lq: Tensor, depth: Depth) -> Tensor:
        """NHWC on the device to NHWC, clipped and rounded there."""
        sr = self._network(lq.permute(0, 3, 1, 2).to(self._dtype))  # permuted is channels_last
        sr = sr.float().clamp_(0, 1)
        if depth is np.uint8:
            sr = sr.mul_(255).add_(0.5).to(torch.uint8)
        return sr.permute(0, 2, 3, 1).contiguous()

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """Do it; PyTorch's errors become relume's."""
        try:
            with torch.inference_mode():
                return work()
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            problem = cannot_run(error)
        if self._recorded:
            self._recorded.forget()
            torch.cuda.empty_cache()
        raise problem

    def close(self) -> None:
        """See :meth:`relume.backends.base.Backend.close`."""
        del self._network, self._recorded


def load(weights: Path, card: ModelCard, device: str, threads: int) -> TorchBackend:
    """Open a ``.safetensors`` file: in float16 on NVIDIA's GPUs, for their tensor cores, else in float32.

    Args:
        weights: the file.
        card: its card.
        device: as for :class:`TorchBackend`.
        threads: processor threads for all of PyTorch in this process.

    Raises:
        InputError: if the file does not hold the weights of the architecture on the card.
        UsageError: if the architecture is unknown.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = build(card.arch, card.arch_options)
    try:
        network.load_state_dict(load_file(weights))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise cannot_load(weights, error) from error
    torch.set_num_threads(threads)
    return TorchBackend(
        network.deployed(), device, torch.float16 if device.startswith("cuda") else torch.float32
    )


def devices() -> list[str]:
    """What PyTorch can run on here, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [device for device, is_there in found.items() if is_there]
