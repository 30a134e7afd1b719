"""What every backend does, whatever runs underneath."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError, OutOfMemory, RelumeError

Batch = NDArray[np.float32]
"""Pictures of equal size, NHWC, RGB, in [0, 1]."""

Depth = type[np.float32] | type[np.uint8]
"""In what results are wanted: float32 in [0, 1], or the nearest of 256 levels."""

Started = Callable[[], NDArray[Any]]
"""A batch under way: called once, waits for the result and gives it."""

BAND_PX = 64
"""Rows that a thread copies at a time: few enough to stay in its cache, enough to be worth a call."""

TAIL_BYTES = 96 * 2**20
"""What the layers that enlarge may hold, where they can run in tiles: see :mod:`relume.backends.tail`."""


class Backend(Protocol):
    """A network, loaded and ready to run. One call at a time.

    A GPU works on the next batch while the last one's result is pasted, so batches are started first and
    asked for later. Processors compute when asked: a result made ahead would only lie in memory for longer.

    Attributes:
        name: ``openvino``, ``onnxruntime`` or ``torch``.
        device: ``cpu``, ``cuda:0`` or ``mps``.
    """

    name: str
    device: str

    def start(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """Begin to restore a batch. That networks want NCHW, and may overshoot, is the backend's affair.

        Batches are asked for in the order of their starts; those that are not wanted any more need not be. At
        most two are under way at a time: the memory for more was not planned.

        Args:
            batch: NHWC in [0, 1], which stays as it is until the result is there.
            depth: type of the result. Rounding here is cheaper than afterwards, and moves less memory.

        Returns:
            What gives the result: NHWC, contiguous, clipped to [0, 1]; may lie in memory that the next start
            or result overwrites.

        Raises:
            OutOfMemory: here or when asked, if there is not enough; it can go on with a smaller batch.
            InputError: likewise, if the network cannot run on this batch.
        """
        ...

    def run(self, batch: Batch, depth: Depth = np.float32) -> NDArray[Any]:
        """Start a batch and wait for its result: see :meth:`start`."""
        return self.start(batch, depth)()

    def release(self) -> None:
        """Give back what only running takes, until it runs again. The last result stays valid."""

    def close(self) -> None:
        """Give back what the network holds. It cannot run afterwards."""
        ...


def planes(batch: Batch) -> Batch:
    """NHWC as contiguous NCHW."""
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def in_depth(values: NDArray[np.float32], depth: Depth) -> NDArray[Any]:
    """Values in [0, 1] as they are, or as levels, rounded half up."""
    return values if depth is np.float32 else (values * np.float32(255) + np.float32(0.5)).astype(depth)


def pixels(planes: NDArray[np.float32], depth: Depth, threads: Executor) -> NDArray[Any]:
    """NCHW, in about [0, 1], as contiguous NHWC, clipped."""
    images, channels, height, width = planes.shape
    batch = np.empty((images, height, width, channels), depth)
    bands = [(image, top) for image in range(images) for top in range(0, height, BAND_PX)]
    for _ in threads.map(partial(_interleave, planes, batch), bands):
        pass
    return batch


def _interleave(planes: NDArray[np.float32], out: NDArray[Any], band: tuple[int, int]) -> None:
    image, rows = band[0], slice(band[1], band[1] + BAND_PX)
    for channel, plane in enumerate(planes[image]):
        out[image, rows, :, channel] = in_depth(plane[rows].clip(0, 1), out.dtype.type)


def cannot_load(weights: Path, error: Exception) -> InputError:
    """A runtime refused a model file."""
    return InputError(
        f"cannot load the model {weights}",
        got=_first_line(error),
        hint="the file is damaged or made for another program: export or download it again",
    )


def cannot_run(error: Exception) -> RelumeError:
    """A runtime gave up in the middle: for want of memory, or because the network is not the card's."""
    if any(words in str(error).lower() for words in NO_MEMORY):
        return OutOfMemory("not enough memory to run the model")
    return InputError("the model cannot run", got=_first_line(error), hint="export it again")


NO_MEMORY = ("bad_alloc", "bad allocation", "failed to allocate", "can't allocate", "out of memory")
"""What OpenVINO, ONNX Runtime and PyTorch say when memory runs out; none has an exception of its own for it
on CPUs."""


def _first_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    told = (line for line in lines if line and not line.startswith("Exception from"))
    return next(told, type(error).__name__)[:200]
