from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import relume
from relume.card import ModelCard
from relume.errors import UsageError
from relume.zoo import FOLDER, ModelFile, find_model, read_card
from relume.zoo.mixing import mix

RANDOM = np.random.default_rng(8)
PIXELS = RANDOM.random((9, 11, 3), dtype=np.float32)


def changed(source: Path, path: Path, spread: float = 0.1, **card: str) -> ModelFile:
    """A copy with weights that differ, by default a little, and another card."""
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.ndim > 2:
            noise = RANDOM.normal(1, spread, value.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(value * noise, tensor.name))
    onnx.helper.set_model_props(
        model, {"relume_card": replace(read_card(source), name=path.stem, **card).to_json()}
    )
    onnx.save(model, path)
    return ModelFile(path, read_card(path))


def values(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


@pytest.fixture
def models(tiny_model: Path, tmp_path: Path) -> tuple[ModelFile, ModelFile]:
    safe = changed(tiny_model, tmp_path / "safe-x4.onnx")
    return changed(tiny_model, tmp_path / "gan-x4.onnx", counterpart=str(safe.path)), safe


@pytest.mark.parametrize("strength", [0, 0.25, 1])
def test_every_weight_lies_between(models: tuple[ModelFile, ModelFile], strength: float, tmp_path: Path):
    (tmp_path / "mixed.onnx").write_bytes(mix(*models, strength))
    far, near = (values(model.path) for model in models)
    for name, value in values(tmp_path / "mixed.onnx").items():
        assert np.allclose(value, near[name] + strength * (far[name] - near[name]), atol=1e-6), name
    assert read_card(tmp_path / "mixed.onnx") == models[0].card


def test_a_model_is_opened_between_it_and_its_counterpart(models: tuple[ModelFile, ModelFile]):
    results = []
    ours, theirs = (model.path for model in models)
    for path, strength in ((theirs, 1), (ours, 0), (ours, 0.5), (ours, 1)):
        with relume.open_model(str(path), strength=strength) as opened:
            results.append(opened(PIXELS))
    assert abs(results[1] - results[0]).max() < 1e-5
    assert all(abs(a - b).max() > 1e-3 for a, b in pairwise(results[1:]))


def test_of_a_model_in_8_bits_the_one_in_float32_is_mixed(models: tuple[ModelFile, ModelFile]):
    plain = models[0].path
    quantised = changed(plain, plain.with_name("gan-x4-int8.onnx"), spread=0.3, precision="int8")
    results: list[np.ndarray] = []
    for path, strength in ((plain, 0.5), (quantised.path, 0.5), (quantised.path, 1)):
        with relume.open_model(str(path), strength=strength) as opened:
            results.append(opened(PIXELS))
    np.testing.assert_array_equal(results[0], results[1])
    assert abs(results[2] - results[1]).max() > 1e-3
    plain.unlink()
    with pytest.raises(UsageError, match=r"gan-x4-int8.onnx is in 8 bits; this needs gan-x4.onnx"):
        relume.open_model(str(quantised.path), strength=0.5)


def test_other_networks_are_refused(tiny_model: Path):
    with pytest.raises(UsageError, match="do not share a network"):
        mix(ModelFile(tiny_model, read_card(tiny_model)), find_model("srresnet-x4"), 0.5)


def test_weights_of_another_beginning_are_refused(tiny_model: Path, tmp_path: Path):
    other = changed(tiny_model, tmp_path / "other-x4.onnx", spread=3)
    with pytest.raises(UsageError, match="tiny-x4 was not trained from other-x4"):
        mix(ModelFile(tiny_model, read_card(tiny_model)), other, 0.5)


def test_adversarial_models_in_the_wheel_share_the_network_of_their_counterpart():
    cards = {path.stem: read_card(path) for path in FOLDER.glob("*.onnx")}
    for name, card in cards.items():
        if card.counterpart:
            assert mix(find_model(name), find_model(card.counterpart), 0.5), name


def test_cards_from_before_know_whether_their_recipe_was_adversarial():
    card = ModelCard(name="a-x4", task="upscale", arch="srresnet", scale=4, halo_px=1, recipe="srgan-x4")
    old = card.to_json().replace('"adversarial": false, ', "")
    assert ModelCard.from_json(old).adversarial
    assert not ModelCard.from_json(old.replace("srgan", "srresnet")).adversarial
