"""Every shipped recipe trains, resumes, exports and restores a picture, through the same calls."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.export import export
from relume.model import open_model
from relume.train.loop import train
from relume.train.recipe import Recipe
from relume.train.recipe_files import list_recipes, load_recipe
from relume.train.state import newest_checkpoint


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder that serves as sharp photos, and as pairs in A and B."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (10, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((240, 200), Image.Resampling.BICUBIC)
    for folder in ("A", "B"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    picture.save(tmp_path / "data" / "B" / "x.png")
    picture.reduce(2).resize(picture.size).save(tmp_path / "data" / "A" / "x.png")
    return tmp_path / "data"


def smoke(name: str, data: Path, *overrides: str) -> Recipe:
    return load_recipe(name, [*overrides, f"data.train=[{data}]", "also={}", "ema=0.5"]).smoke()


def rows(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(autouse=True)
def vgg19(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG19's weights, for recipes with a perceptual loss."""
    name = request.node.callspec.params["name"]
    if load_recipe(name).perceptual:
        shared = request.getfixturevalue("shared_data")
        monkeypatch.setenv("RELUME_VGG19", str(shared / "vgg19"))


@pytest.mark.parametrize("name", list_recipes())
def test_a_system_trains_resumes_exports_and_restores(name, pictures, tmp_path):
    recipe, run = smoke(name, pictures), tmp_path / "run"
    train(recipe, run, device="cpu")
    newest_checkpoint(run).unlink()
    train(recipe, run, device="cpu", resume=True)
    logged = [row for row in rows(run) if "images_per_s" in row]
    assert [row["step"] for row in logged] == [1, 2, 3, 4]
    assert all(value is not None and math.isfinite(value) for row in logged for value in row.values())
    assert ("d/real" in logged[0]) == (recipe.adversarial is not None)
    assert "grad_norm" in logged[-1], "the generator learns too"

    report = export(run, tmp_path / f"{name}.onnx")
    shutil.rmtree(run)
    with open_model(str(report.path)) as model:
        result = model(np.zeros((21, 33, 3), np.uint8))
    assert result.shape == (21 * recipe.scale, 33 * recipe.scale, 3)


@pytest.mark.parametrize(
    ("name", "variant"),
    [("keras-srgan-x4", "warm_start"), ("photo-x4", "warm_start"), ("unet-srgan-x2", "as_published"),
     ("deblurgan", "as_published"), ("deblurgan", "v2"), ("deblurgan", "sharp_photos"),
     ("deblurgan", "warm_start"), ("faces-srgan-x4", "as_published")],
)  # fmt: skip
def test_variants_train(name, variant, pictures, tmp_path):
    data = pictures / "B" if variant == "sharp_photos" else pictures
    recipe = smoke(name, data, f"variant={variant}", "ema=0")
    train(recipe.model_copy(update={"steps": 2}), tmp_path / "run", device="cpu")
    assert rows(tmp_path / "run")[-1]["step"] == 2
    shutil.rmtree(tmp_path / "run")
