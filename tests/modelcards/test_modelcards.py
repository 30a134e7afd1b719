"""Model cards for people: what they say, and that the committed ones are of the models in the package."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.card import ModelCard, Score, TrainingSource
from relume.cli import run
from relume.errors import InputError
from relume.modelcards import INDEX, index, page, write_cards
from relume.modelcards.pictures import TILE_PX
from relume.zoo import ModelFile, list_models, read_card

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "model-cards"
AGAIN = "relume models --cards docs/model-cards"
SHEETS = ("sample", "worst", "damaged")


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.card.name)
def test_the_committed_cards_are_those_of_the_package(model):
    name = model.card.name
    assert (COMMITTED / f"{name}.md").read_text(encoding="utf-8") == page(model), AGAIN
    for sheet in SHEETS:
        with Image.open(COMMITTED / f"{name}-{sheet}.webp") as picture:
            assert picture.width >= 2 * TILE_PX


def test_the_committed_list_is_complete_and_no_card_is_left_over():
    models = list_models()
    assert (COMMITTED / INDEX).read_text(encoding="utf-8") == index(models), AGAIN
    wanted = {f"{m.card.name}-{sheet}.webp" for m in models for sheet in SHEETS}
    wanted |= {INDEX, *(f"{m.card.name}.md" for m in models)}
    assert {path.name for path in COMMITTED.iterdir()} == wanted


def test_the_quality_page_is_of_the_weights_in_the_package():
    text = (COMMITTED.parent / "quality.md").read_text(encoding="utf-8")
    for model in list_models():
        row = f"| {model.card.name} | {model.card.weights_sha256[:16]} |"
        assert row in text, "python benchmarks/quality.py"


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (12, 15, 3), np.uint8)
    Image.fromarray(noise).resize((120, 90)).save(folder / "a.png")
    (folder / "README.md").write_text("no picture")
    return folder


@pytest.mark.parametrize("fixture", ["tiny_model", "tiny_deblur_model"])
def test_a_model_gets_a_page_and_its_pictures(fixture, request, samples, tmp_path):
    path = request.getfixturevalue(fixture)
    model = ModelFile(path, read_card(path))
    write_cards([model], tmp_path / "cards", samples)
    text = (tmp_path / "cards" / f"{model.card.name}.md").read_text(encoding="utf-8")
    for sheet in SHEETS:
        name = f"{model.card.name}-{sheet}.webp"
        assert f"]({name})" in text
        with Image.open(tmp_path / "cards" / name) as picture:
            assert np.asarray(picture).std() > 5
    assert f"relume {model.card.task} photo.jpg" in text
    assert f"[{model.card.name}]({model.card.name}.md)" in (tmp_path / "cards" / INDEX).read_text()


def test_limits_are_those_of_the_model(tiny_model):
    card = read_card(tiny_model)
    plain = page(ModelFile(tiny_model, card))
    assert "**Details are invented.**" not in plain
    assert "What the input does not show stays lost" in plain
    assert "Not for evidence" not in plain
    assert "Not measured." in plain
    told = page(ModelFile(tiny_model, adversarial(card)))
    assert "Not for evidence" in told
    assert "**Details are invented.**" in told
    assert "| a portrait | none stated |" in told
    assert "blur, JPEG's blocks and film grain are taken" not in told  # photo-x4 has seen them
    assert "spoilt at random" in told


def test_scores_stand_beside_those_of_the_input(tiny_deblur_model):
    card = read_card(tiny_deblur_model)
    score = Score(dataset="pairs", protocol="rgb", psnr=28.29, ssim=0.8374, base=(28.01, 0.83))
    text = page(ModelFile(tiny_deblur_model, replace(card, scores=(score,))))
    assert "| PSNR in dB / SSIM | input |" in text
    assert "| pairs | `rgb` | 28.29 / 0.8374 | 28.01 / 0.8300 |" in text


def adversarial(card: ModelCard) -> ModelCard:
    sources = (TrainingSource(name="a portrait", licence="none stated"),)
    return replace(card, adversarial=True, training_data=sources, recipe="photo-x4")


def test_without_pictures_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="no sample pictures in"):
        write_cards([], tmp_path / "cards", tmp_path)
    assert not (tmp_path / "cards").exists()
    assert run(["models", "--cards", str(tmp_path / "cards"), "--samples", str(tmp_path / "none")]) == 65
