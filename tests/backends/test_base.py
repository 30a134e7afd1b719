"""What every backend must do, tried on each."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from relume.archs import Network
from relume.backends import open_backend
from relume.card import ModelCard
from relume.engine.restore import restore
from relume.errors import InputError

BACKENDS = ["openvino", "onnxruntime", "torch"]


@pytest.fixture(params=BACKENDS)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def weights(device: str, onnx_file: Path, safetensors_file: Path) -> Path:
    return safetensors_file if device == "torch" else onnx_file


def test_gives_what_the_network_gives_at_every_size(
    device: str, weights: Path, card: ModelCard, network: Network
):
    backend = open_backend(weights, card, device=device)
    assert (backend.name, backend.device) == (device, "cpu")
    for shape in ((1, 1, 1, 3), (1, 17, 23, 3), (3, 8, 5, 3), (1, 140, 64, 3)):
        lq = torch.rand(shape)
        with torch.inference_mode():
            expected = network(lq.permute(0, 3, 1, 2)).clamp(0, 1).permute(0, 2, 3, 1).numpy()
        sr = backend.run(lq.numpy())
        assert sr.flags.c_contiguous
        assert sr.dtype == np.float32
        assert sr.shape == expected.shape
        assert abs(sr - expected).max() < 1e-5
    backend.close()


def test_gives_the_nearest_levels(device: str, weights: Path, card: ModelCard):
    backend = open_backend(weights, card, device=device)
    lq = np.random.default_rng(5).random((1, 20, 31, 3), np.float32)
    exact = 255 * backend.run(lq).astype(np.float64)
    levels = backend.run(lq, np.uint8)
    assert levels.dtype == np.uint8
    assert levels.flags.c_contiguous
    assert abs(levels - exact).max() < 0.501


def test_takes_windows_of_a_picture_and_gives_them_in_order(device: str, weights: Path, card: ModelCard):
    backend = open_backend(weights, card, device=device)
    pixels = np.random.default_rng(6).random((40, 50, 3), np.float32)
    windows = [pixels[None, 3:20, 30:10:-1], pixels[None, 20:37, 5:25]]
    expected = [backend.run(np.ascontiguousarray(window)).copy() for window in windows]
    started = [backend.start(window) for window in windows]
    assert [(sr() == like).all() for sr, like in zip(started, expected, strict=True)] == [True, True]


def test_runs_again_after_it_gave_memory_back(device: str, weights: Path, card: ModelCard):
    backend = open_backend(weights, card, device=device)
    lq = np.random.default_rng(5).random((1, 20, 31, 3), np.float32)
    result = backend.run(lq)
    expected = result.copy()
    backend.release()
    assert (result == expected).all()
    assert (backend.run(lq) == expected).all()


def test_overshoot_is_cut_off(device: str, weights: Path, card: ModelCard, network: Network):
    lq = torch.rand(1, 3, 30, 30).round()
    with torch.inference_mode():
        raw = network(lq)
    assert raw.min() < 0
    assert raw.max() > 1
    sr = open_backend(weights, card, device=device).run(lq.permute(0, 2, 3, 1).contiguous().numpy())
    assert (sr.min(), sr.max()) == (0, 1)


def test_tiles_give_what_the_whole_gives(device: str, weights: Path, card: ModelCard):
    backend = open_backend(weights, card, device=device, threads=1)
    pixels = np.random.default_rng(1).random((70, 93, 3), dtype=np.float32)
    whole, tiled = (restore(backend, card, pixels, tile=tile) for tile in (1000, 16))
    assert whole.std() > 0.01
    assert abs(tiled - whole).max() < 1e-5


def test_a_file_cut_short(device: str, weights: Path, card: ModelCard, tmp_path: Path):
    damaged = tmp_path / weights.name
    damaged.write_bytes(weights.read_bytes()[:-5000])
    with pytest.raises(InputError, match=r"cannot load the model .*test-x2"):
        open_backend(damaged, card, device=device)


def test_an_input_that_the_network_does_not_take(device: str, weights: Path, card: ModelCard):
    with pytest.raises(InputError, match="cannot run"):
        open_backend(weights, card, device=device).run(np.zeros((1, 8, 8, 5), np.float32))


RUN_SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, psutil
from relume.backends import open_backend
from relume.engine.restore import restore
from relume.errors import OutOfMemory
from relume.zoo import read_card
path = Path(sys.argv[1])
card = read_card(path)
backend = open_backend(path, card, device=sys.argv[2], threads=1)
pixels = np.random.default_rng(0).random((1200, 1200, 3), dtype=np.float32)
expected = restore(backend, card, pixels, tile=100)
too_large = np.zeros((1, 2000, 2000, 3), np.float32)
used = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (used + 250 * 2**20, resource.RLIM_INFINITY))
try:
    backend.run(too_large)
except OutOfMemory:
    totals = set()
    found = restore(backend, card, pixels, tile=1200, progress=lambda done, total: totals.add(total))
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    print(abs(found - expected).max() < 1e-5, *totals)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own address space")
def test_goes_on_in_smaller_tiles_when_memory_runs_out(device: str, weights: Path):
    """With 250 MiB of address space to spare, of which the whole picture needs more."""
    command = [sys.executable, "-c", RUN_SHORT_OF_MEMORY, str(weights), device]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    equal, *totals = done.stdout.split()
    assert equal == "True"
    assert totals != ["1"]
