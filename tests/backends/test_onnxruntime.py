from pathlib import Path

import numpy as np
import pytest

from relume.backends.onnxruntime import ONNXRuntimeBackend
from relume.errors import InputError


def test_errors_come_as_exceptions_only(onnx_file: Path, capfd: pytest.CaptureFixture[str]):
    backend = ONNXRuntimeBackend(onnx_file, "cpu", 1)
    with pytest.raises(InputError):
        backend.run(np.zeros((1, 4, 4, 1), np.float32))
    assert capfd.readouterr() == ("", "")


def test_batches_for_a_gpu_run_in_a_thread_of_their_own(onnx_file: Path):
    """What CUDA does is not tried here: the session is one for the processor."""
    backend = ONNXRuntimeBackend(onnx_file, "cpu", 1)
    batches = np.random.default_rng(0).random((3, 1, 9, 7, 3), np.float32)
    expected = [backend.run(batch, np.uint8) for batch in batches]
    backend.device = "cuda:0"
    started = [backend.start(batch, np.uint8) for batch in batches]
    assert all((sr() == like).all() for sr, like in zip(started, expected, strict=True))
    wrong = backend.start(np.zeros((1, 4, 4, 1), np.float32))
    with pytest.raises(InputError, match="cannot run"):
        wrong()
    backend.close()
