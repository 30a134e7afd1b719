"""The device that trains, set up for speed."""

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager

import torch

from relume.errors import OutOfMemory, UsageError
from relume.train import processes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Options of glibc's ``mallopt``, from malloc.h."""


def open_device(name: str) -> torch.device:
    """Choose a device; of several GPUs, each process of a machine takes its own.

    On CUDA, float32 products are computed in TF32, and convolutions by the algorithm that is quickest for
    their size, which is found out when a size comes up first. On a processor, the process keeps memory that
    it no longer uses: a step needs as much as the one before.

    Args:
        name: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        UsageError: if the machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{processes.rank_on_machine()}"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        allowed = ["auto", "cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
        raise UsageError("cannot train on this device", got=name, allowed=allowed) from error
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
    if device.type == "cpu":
        _keep_memory()
    return device


def _keep_memory() -> None:
    """Where the C library is glibc, let it keep the memory of freed tensors.

    Otherwise it gives that of every large one back at once, and the next comes in pages that the system has
    to clear: about a tenth of a step's time. For all of the process, and for good. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, 2**28)):
            mallopt(option, value)


@contextmanager
def memory_errors_told() -> Generator[None]:
    """Running out of a GPU's memory inside is told to the user.

    Raises:
        OutOfMemory: then.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            "a training step does not fit into the device's memory",
            hint="raise runtime.accumulate, or lower batch_size or data.crop_px",
        ) from error
