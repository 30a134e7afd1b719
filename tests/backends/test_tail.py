"""Tails in tiles: the graph computes what it did, in less memory."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from relume.archs import build
from relume.backends import Depth
from relume.backends.openvino import OpenVINOBackend
from relume.card import ModelCard
from relume.export import write_model

NETWORKS = {
    "smooth": {"width": 8, "num_blocks": 1, "smooth_upsampling": True},
    "by-three": {"width": 8, "num_blocks": 1, "scale": 3},
}


def write(name: str, folder: Path) -> Path:
    torch.manual_seed(3)
    network = build("srresnet", NETWORKS[name])
    card = ModelCard(name="m", task="upscale", arch="srresnet", scale=network.scale, halo_px=network.halo_px)
    write_model(network, card, folder / "model.onnx")
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("smooth", tmp_path_factory.mktemp("models"))


def limited(monkeypatch: pytest.MonkeyPatch, num_bytes: int) -> None:
    for module in ("tail", "openvino"):
        monkeypatch.setattr(f"relume.backends.{module}.TAIL_BYTES", num_bytes)


def run(weights: Path, lq: NDArray[np.float32], depth: Depth) -> tuple[NDArray[Any], int]:
    """The result, and how many convolutions gave it."""
    backend = OpenVINOBackend(weights, threads=1)
    sr = backend.run(lq, depth).copy()
    nodes = backend._request((lq.shape, depth)).get_compiled_model().get_runtime_model().get_ops()
    kinds = [node.get_rt_info()["layerType"] for node in nodes if node.get_type_name() == "ExecutionNode"]
    return sr, kinds.count("Convolution")


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_compute_what_the_whole_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights = write(name, tmp_path)
    for size in ((1, 37, 50, 3), (2, 8, 61, 3)):
        lq = np.random.default_rng(1).random(size, np.float32)
        for depth in (np.float32, np.uint8):
            whole, few = run(weights, lq, depth)
            with monkeypatch.context() as patch:
                limited(patch, 80_000)
                tiled, many = run(weights, lq, depth)
            assert many > few + 10
            assert whole.std() > 1e-3
            assert abs(tiled.astype(np.float32) - whole).max() < 1e-5


def test_networks_without_a_heavy_tail_stay_as_they_are(onnx_file: Path, monkeypatch: pytest.MonkeyPatch):
    lq = np.zeros((1, 40, 40, 3), np.float32)
    _, before = run(onnx_file, lq, np.float32)
    limited(monkeypatch, 1000)
    assert run(onnx_file, lq, np.float32)[1] == before


def test_large_windows_never_run_in_the_graph_for_any_shape(weights: Path, monkeypatch: pytest.MonkeyPatch):
    limited(monkeypatch, 2_000_000)
    backend = OpenVINOBackend(weights, threads=1)
    for side in (64, 80, 16, 72):
        backend.run(np.zeros((1, side, side, 3), np.float32))
    assert [shape for shape, _ in backend._own] == [(1, 72, 72, 3)]
    assert list(backend._any) == [np.float32], "for the one of 16 pixels"


PEAK_GROWTH = """
import sys
from pathlib import Path
import numpy as np
from relume.backends import openvino, tail
from relume.jobs.pipeline import peak_rss
openvino.TAIL_BYTES = tail.TAIL_BYTES = int(sys.argv[2])
backend = openvino.OpenVINOBackend(Path(sys.argv[1]), 1)
backend.run(np.zeros((1, 64, 64, 3), np.float32), np.uint8)
before = peak_rss()
backend.run(np.ones((1, 500, 500, 3), np.float32), np.uint8)
print(peak_rss() - before)
"""


def test_tiles_hold_a_fraction_of_the_whole(weights: Path):
    """250,000 pixels with 640 bytes each in the tail, of which 8 MB are held at a time."""
    whole, tiled = (
        int(subprocess.check_output([sys.executable, "-c", PEAK_GROWTH, str(weights), str(most)]))
        for most in (10**9, 8 * 10**6)
    )
    assert whole > 140e6
    assert tiled < whole / 2
