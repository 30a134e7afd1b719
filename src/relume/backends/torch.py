"""PyTorch, where it is installed: NVIDIA and Apple GPUs, and networks that are still in training."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from relume.archs import build
from relume.backends.base import Batch, Depth, cannot_load, cannot_run
from relume.card import ModelCard


class TorchBackend:
    """A network in evaluation mode.

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
        self._network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def run(self, batch: Batch, depth: Depth = np.float32) -> NDArray[Any]:
        """See :meth:`relume.backends.base.Backend.run`."""
        try:
            with torch.inference_mode():
                lq = torch.from_numpy(batch).to(self.device).permute(0, 3, 1, 2)  # that is channels_last
                lq = lq.to(self._dtype)
                sr = self._network(lq).float().clamp_(0, 1)
                if depth is np.uint8:
                    sr = sr.mul_(255).add_(0.5).to(torch.uint8)
                return sr.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            problem = cannot_run(error)
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        raise problem

    def close(self) -> None:
        """See :meth:`relume.backends.base.Backend.close`."""
        del self._network


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
