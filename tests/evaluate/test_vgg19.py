from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from relume.errors import InputError, UsageError
from relume.evaluate.measures import open_measures
from relume.evaluate.vgg19 import FeatureDistance


@pytest.fixture
def weights(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("RELUME_VGG19", str(shared_data / "vgg19"))


def test_distance_grows_with_the_damage(weights, shared_data: Path):
    photo = Image.open(shared_data / "eval/BSD100/img_005.png").convert("RGB").crop((0, 0, 96, 64))
    distance = FeatureDistance()
    found = [
        distance(np.asarray(photo.filter(ImageFilter.GaussianBlur(radius))), np.asarray(photo))
        for radius in (0, 1, 3)
    ]
    assert found[0] == 0
    assert 0 < found[1] < found[2]
    assert "weights caffe" in distance.note
    assert np.isnan(distance(np.asarray(photo)[:15], np.asarray(photo)[:15]))


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELUME_VGG19", str(tmp_path))
    with pytest.raises(InputError, match=r"no weights of VGG19.*torchvision"):
        open_measures(["vgg19"], 4)


def test_missing_torch_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "relume.losses.perceptual", None)
    with pytest.raises(UsageError, match=r"the measure vgg19 needs relume\[train\]"):
        open_measures(["vgg19"], 4)
