"""The data of a recipe with `also`: every part is looked for, in a smoke run too."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.data.mixture import Mixture
from relume.errors import InputError
from relume.train.crops import find_data
from relume.train.recipe import Recipe
from relume.train.recipe_files import load_recipe


def write_noise(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos, pairs and a film, as the recipe `deblur` wants them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    write_noise(tmp_path / "photos", "x.png")
    for folder in ("A", "B"):
        write_noise(tmp_path / "gopro" / "train" / folder, "x.png")
    write_noise(tmp_path / "gopro" / "240fps", *(f"{i:03}.png" for i in range(13)))
    return tmp_path


def deblur(*overrides: str) -> Recipe:
    return load_recipe("deblur", ["data.train=[photos]", *overrides]).smoke()


@pytest.mark.parametrize("variant", [(), ("variant=few_frames",)])
def test_a_smoke_run_sees_every_part_of_the_data(data, variant):
    recipe = deblur(*variant)
    crops = find_data(recipe)()
    assert isinstance(crops, Mixture)
    assert len(crops.parts) == 1 + len(recipe.also) > 1


@pytest.mark.parametrize("part", ["pairs", "frames"])
@pytest.mark.parametrize("wrong", ["nowhere", "photos"])
def test_missing_data_of_a_part_is_told_with_what_to_do(data, part, wrong):
    with pytest.raises(InputError, match=f"also.{part}: ") as raised:
        find_data(deblur(f"also.{part}.train=[{wrong}]"))()
    assert f"also.{part}.train=[FOLDER] says where it lies, also={{}} trains without" in str(raised.value)


def test_all_parts_are_found_before_any_is_decoded(data, monkeypatch):
    monkeypatch.setattr(
        "relume.data.pictures.DecodedPictures.decode", lambda *_, **__: pytest.fail("too early")
    )
    with pytest.raises(InputError, match=r"also\.pairs: "):
        find_data(deblur("also.pairs.train=[nowhere]"))()


def test_without_the_parts_the_pictures_suffice(data):
    assert not isinstance(find_data(deblur("also={}"))(), Mixture)
