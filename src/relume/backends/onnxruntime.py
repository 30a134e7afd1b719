"""ONNX Runtime: where OpenVINO has no wheel, and for NVIDIA GPUs without PyTorch."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from relume.backends.base import Backend, Batch, Depth, Started, cannot_load, cannot_run, pixels, planes

FATAL_ONLY = 4
"""Log level: problems come as exceptions, and are not also written to the terminal."""


class ONNXRuntimeBackend(Backend):
    """An ``.onnx`` file, in float32.

    Batches for a GPU run in a thread of their own, where ONNX Runtime copies, computes and waits while the
    caller goes on. Its results come as float32 planes and are rounded on the processor: rounding on the GPU
    would need other graphs than those in the files.

    Args:
        weights: the file.
        device: ``cpu`` or ``cuda:0``.
        threads: processor threads to use.

    Raises:
        InputError: if ONNX Runtime cannot read the file.
    """

    name = "onnxruntime"

    def __init__(self, weights: Path, device: str, threads: int):
        self.device = device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = FATAL_ONLY
        options.enable_cpu_mem_arena = False  # the arena holds twice the memory and saves no time here
        providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
        try:
            self._session = onnxruntime.InferenceSession(
                weights, options, providers=[*providers, "CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's exceptions have no common base
            raise cannot_load(weights, error) from error
        self._input = self._session.get_inputs()[0].name
        self._threads = ThreadPoolExecutor(threads)
        self._ahead = ThreadPoolExecutor(1)

    def start(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """See :meth:`relume.backends.base.Backend.start`."""
        if self.device == "cpu":
            return partial(self._compute, batch, depth)
        return self._ahead.submit(self._compute, batch, depth).result

    def _compute(self, batch: Batch, depth: Depth) -> NDArray[Any]:
        try:
            sr = np.asarray(self._session.run(None, {self._input: planes(batch)})[0])
        except Exception as error:  # as above
            raise cannot_run(error) from error
        return pixels(sr, depth, self._threads)

    def close(self) -> None:
        """See :meth:`relume.backends.base.Backend.close`."""
        self._ahead.shutdown()
        self._threads.shutdown()
        del self._session
