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
