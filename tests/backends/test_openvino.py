import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest

from relume.backends import Depth
from relume.backends.openvino import OpenVINOBackend


def executed(backend: OpenVINOBackend) -> list[openvino.Node]:
    model = backend._request(((1, 8, 8, 3), np.float32)).get_compiled_model().get_runtime_model()
    return [node for node in model.get_ops() if node.get_type_name() == "ExecutionNode"]


def test_prelu_is_fused_into_convolutions(onnx_file: Path):
    kinds = [node.get_rt_info()["layerType"] for node in executed(OpenVINOBackend(onnx_file, threads=1))]
    assert kinds.count("Convolution") == 8
    assert "PRelu" not in kinds


def test_works_in_float32_whatever_the_processor_prefers(onnx_file: Path):
    """On processors with AMX, OpenVINO takes bfloat16 unless told otherwise: errors of a grey level."""
    precisions = {
        node.get_rt_info()["runtimePrecision"].value
        for node in executed(OpenVINOBackend(onnx_file, threads=1))
    }
    assert precisions <= {"f32", "i32"}


def test_shapes_that_come_often_get_a_graph_of_their_own(onnx_file: Path, monkeypatch: pytest.MonkeyPatch):
    backend = OpenVINOBackend(onnx_file, threads=1)
    compiled: list[tuple[tuple[int, ...] | None, Depth]] = []
    compile_one = backend._compile
    monkeypatch.setattr(backend, "_compile", lambda *kind: compiled.append(kind) or compile_one(*kind))
    pictures = np.random.default_rng(0).random((2, 1, 9, 8, 3), np.float32)
    first, second = pictures[0], np.ascontiguousarray(pictures[1].transpose(0, 2, 1, 3))
    results = [backend.run(lq).copy() for lq in (first, second, first, *[second] * 5, first)]
    assert compiled == [((1, 9, 8, 3), np.float32), (None, np.float32), ((1, 8, 9, 3), np.float32)]
    for sr in results[3:8]:
        np.testing.assert_allclose(sr, results[1], atol=1e-5)
    np.testing.assert_allclose(results[-1], results[0], atol=1e-5)


def test_telemetry_stays_out_and_openvino_whole(onnx_file: Path, tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from relume.backends.openvino import OpenVINOBackend;"
        f"OpenVINOBackend(Path({str(onnx_file)!r}), 1);"
        "print(*sys.modules); import openvino; openvino.convert_model"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"HOME": str(tmp_path)}
    )
    assert "openvino_telemetry" not in done.stdout
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_signals_arrive_after_models_were_closed(onnx_file: Path):
    """With one openvino.Core a model, the handler crashed on processors with AMX."""
    code = (
        "import signal; from pathlib import Path; import numpy as np;"
        "from relume.backends.openvino import OpenVINOBackend as B;"
        f"a, b = (B(Path({str(onnx_file)!r}), 1) for _ in 'ab');"
        "x = np.zeros((1, 32, 32, 3), np.float32); a.run(x); b.run(x);"
        "a.close(); del a; b.close(); del b;"
        "signal.signal(signal.SIGTERM, lambda *_: print('arrived')); signal.raise_signal(signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "arrived\n"
