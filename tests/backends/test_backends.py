"""Which backend a device name opens."""

from pathlib import Path

import pytest
import torch

from relume.backends import open_backend, prefers_int8
from relume.card import ModelCard
from relume.errors import InputError, UsageError

HAS_GPU = torch.cuda.is_available()
no_gpu = pytest.mark.skipif(HAS_GPU, reason="this machine has an NVIDIA GPU")


@no_gpu
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_onnx_on_the_cpu_is_openvinos(onnx_file: Path, card: ModelCard, device: str):
    assert open_backend(onnx_file, card, device=device).name == "openvino"


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_without_openvino_it_is_onnx_runtimes(
    onnx_file: Path, card: ModelCard, device: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("relume.backends.find_spec", lambda name: None)
    assert open_backend(onnx_file, card, device=device).name == "onnxruntime"


def test_weights_for_training_are_pytorchs(safetensors_file: Path, card: ModelCard):
    backend = open_backend(safetensors_file, card)
    assert (backend.name, backend.device) == ("torch", "cuda:0" if HAS_GPU else "cpu")


@no_gpu
@pytest.mark.parametrize(
    ("device", "kind", "words"),
    [
        ("cuda", "onnx", "no NVIDIA GPU.*allowed: auto, cpu"),
        ("cuda", "safetensors", "no cuda device.*allowed: auto, cpu"),
        ("mps", "onnx", "mps cannot run.*safetensors"),
        ("torch", "onnx", "torch cannot run.*safetensors"),
        ("openvino", "safetensors", "openvino cannot run.*onnx"),
        ("gpu", "onnx", "unknown device; got gpu; allowed: auto, cpu, cuda"),
    ],
)
def test_what_cannot_be(
    onnx_file: Path, safetensors_file: Path, card: ModelCard, device: str, kind: str, words: str
):
    with pytest.raises(UsageError, match=words):
        open_backend(onnx_file if kind == "onnx" else safetensors_file, card, device=device)


def test_weights_for_training_without_pytorch(
    safetensors_file: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("relume.backends.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs PyTorch.*relume\[train\]"):
        open_backend(safetensors_file, card)


def test_another_kind_of_file(card: ModelCard, tmp_path: Path):
    with pytest.raises(InputError, match="no model file"):
        open_backend(tmp_path / "weights.pth", card)


@no_gpu
@pytest.mark.parametrize(
    ("device", "vnni", "expected"),
    [("auto", True, True), ("cpu", True, True), ("openvino", False, False), ("onnxruntime", True, False)],
)
def test_where_8_bits_are_faster(device: str, vnni: bool, expected: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relume.backends.has_vnni", lambda: vnni)
    assert prefers_int8(device) is expected
