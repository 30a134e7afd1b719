from pathlib import Path

import pytest
from PIL import Image

from relume import zoo
from relume.cli import run


def test_a_folder_of_pictures(pictures: Path, tiny_deblur_model: Path):
    assert run(["deblur", "a.png", "sub", "-n", str(tiny_deblur_model)]) == 1  # one is broken
    with Image.open("a-tiny-deblur-deblurred.png") as picture:
        assert picture.size == (12, 8)
    with Image.open("sub-tiny-deblur-deblurred/c-tiny-deblur-deblurred.png") as picture:
        assert picture.size == (5, 6)


def test_a_model_that_enlarges_is_refused(
    pictures: Path, tiny_model: Path, tiny_deblur_model: Path, capfd: pytest.CaptureFixture[str]
):
    assert run(["deblur", "a.png", "-n", str(tiny_model)]) == 2
    assert "is no model to deblur; got one to upscale; use `relume upscale`" in capfd.readouterr().err
    assert run(["upscale", "a.png", "-n", str(tiny_deblur_model)]) == 2
    assert "is no model to upscale; got one to deblur; use `relume deblur`" in capfd.readouterr().err


def test_without_a_model_in_the_package_one_must_be_given(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    assert run(["deblur", "a.png"]) == 2
    told = "relume: relume comes without a model to deblur yet; give one with -n MODEL\n"
    assert capfd.readouterr().err == told
