from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from relume.archs import build
from relume.backends import open_backend
from relume.card import ModelCard, Score
from relume.errors import InputError, UsageError
from relume.export import write_model
from relume.quantisation import quantise
from relume.zoo import read_card

NETWORKS = {
    "compact": {"scale": 4, "size": "tiny"},
    "srresnet": {"scale": 2, "width": 16, "num_blocks": 1},
}


@pytest.fixture(scope="module", params=NETWORKS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = build(request.param, NETWORKS[request.param]).eval()
    card = ModelCard(
        name="test-x4",
        task="upscale",
        arch=request.param,
        arch_options=NETWORKS[request.param],
        scale=network.scale,
        halo_px=network.halo_px,
        scores=(Score(dataset="Set5", protocol="matlab", psnr=30.0, ssim=0.9),),  # float32's own
    )
    path = tmp_path_factory.mktemp("models") / "test-x4.onnx"
    write_model(network, card, path)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    levels = np.random.default_rng(2).integers(0, 256, (3, 50, 60, 3), np.uint8)
    for number, small in enumerate(levels):
        Image.fromarray(small).resize((500, 400), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    return folder


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relume.quantisation.NUM_CROPS", 3)
    monkeypatch.setattr("relume.quantisation.SMALLEST_PSNR", 25.0)  # fresh weights are no trained ones


def test_8_bits_are_near_float32_and_the_card_says_so(source: Path, pictures: Path, tmp_path: Path):
    report = quantise(source, tmp_path / "int8.onnx", pictures)
    assert report.psnr > 30
    card = read_card(report.path)
    assert card == report.card
    assert (card.name, card.precision, card.scores) == ("test-x4-int8", "int8", ())
    assert card.calibration == f"3 crops of pictures in {pictures.name}"
    lq = np.asarray(Image.open(pictures / "0.png").resize((41, 30)), np.float32)[None] / 255
    exact = open_backend(source, card, device="openvino").run(lq)
    for device in ("openvino", "onnxruntime"):
        quantised = open_backend(report.path, card, device=device).run(lq)
        assert 0 < np.square(exact - quantised).mean() < 10**-2.8
    graph = onnx.load(report.path).graph
    assert "DequantizeLinear" in {node.op_type for node in graph.node}
    exact_kernels = [t for t in graph.initializer if len(t.dims) == 4 and t.data_type == t.FLOAT]
    assert {t.dims[1] for t in exact_kernels if t.dims[0] > 1} == {3}, "those that see the picture"
    with pytest.raises(UsageError, match="8 bits already"):
        quantise(report.path, tmp_path / "again.onnx", pictures)


def test_the_result_is_the_same_whichever_graph_runs(source: Path, pictures: Path, tmp_path: Path):
    """One for one shape and one for any: in 33 layers a difference of the last bit grows to levels."""
    report = quantise(source, tmp_path / "int8.onnx", pictures)
    lq = np.random.default_rng(5).random((1, 60, 70, 3), np.float32)
    first, later = (open_backend(report.path, report.card, device="openvino") for _ in range(2))
    later.run(lq[:, :20, :20].copy())
    np.testing.assert_array_equal(first.run(lq), later.run(lq))
    request = first._request((lq.shape, np.float32))
    executed = request.get_compiled_model().get_runtime_model().get_ops()
    kinds = {str(op.get_rt_info()["layerType"].value) for op in executed if "layerType" in op.get_rt_info()}
    assert "Convolution" in kinds
    assert "Subgraph" not in kinds, "which is compiled for one shape only, and rounds in another order"


def test_pictures_that_are_too_small(source: Path, tmp_path: Path):
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="both sides ≥ "):
        quantise(source, tmp_path / "int8.onnx", tmp_path)


def test_a_model_that_loses_too_much_is_not_written(
    source: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("relume.quantisation.SMALLEST_PSNR", 150.0)
    with pytest.raises(InputError, match="loses too much in 8 bits"):
        quantise(source, tmp_path / "int8.onnx", pictures)
    assert not (tmp_path / "int8.onnx").exists()


def test_other_files(source: Path, pictures: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        quantise(source, tmp_path / "int8.safetensors", pictures)
