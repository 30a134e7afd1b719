import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from relume.archs.vgg import VGG19Features
from relume.errors import InputError
from relume.losses import vgg_weights
from relume.losses.vgg_weights import CAFFE, TORCHVISION, cache_folder, load_vgg19


@pytest.fixture(autouse=True)
def _nothing_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("RELUME_VGG19", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def torchvision_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Fresh weights kept as in torchvision's file: the format before zip, parameters, with the classifier."""
    file = tmp_path / "weights" / TORCHVISION.file
    file.parent.mkdir()
    state = {
        f"features.{name}": p for name, p in VGG19Features().requires_grad_().features.named_parameters()
    }
    state["classifier.6.bias"] = torch.nn.Parameter(torch.zeros(1000))
    torch.save(state, file, _use_new_zipfile_serialization=False)
    source = replace(TORCHVISION, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    monkeypatch.setattr(vgg_weights, "SOURCES", (source, CAFFE))
    return file


def test_torchvisions_file_is_read_with_imagenets_mean_and_deviation(torchvision_file):
    weights = load_vgg19(torchvision_file)
    state = torch.load(torchvision_file, weights_only=True)
    assert weights.source.name == "torchvision"
    assert torch.equal(weights.network.features[34].weight, state["features.34.weight"])
    assert not any(p.requires_grad for p in weights.network.parameters())
    rgb = torch.rand(1, 3, 8, 8)
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = F.conv2d((rgb - mean) / std, state["features.0.weight"], state["features.0.bias"], padding=1)
    torch.testing.assert_close(weights.network(rgb, ["conv1_1"])["conv1_1"], expected)


def test_a_file_is_found_again_by_its_copy(torchvision_file, monkeypatch):
    monkeypatch.setenv("RELUME_VGG19", str(torchvision_file.parent))
    first = load_vgg19()
    monkeypatch.delenv("RELUME_VGG19")
    torchvision_file.unlink()
    again = load_vgg19()
    assert again.source is first.source
    assert torch.equal(again.network.features[0].weight, first.network.features[0].weight)
    assert [file.name for file in cache_folder().iterdir()] == [first.source.copy]


def test_torchvisions_own_download_is_found(torchvision_file, tmp_path):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torchvision_file.rename(folder / torchvision_file.name)
    assert load_vgg19().source.name == "torchvision"


def test_without_a_place_for_copies_weights_still_load(torchvision_file, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(torchvision_file))  # no folder
    assert load_vgg19(torchvision_file).source.name == "torchvision"


def test_the_original_weights_take_bgr_of_255_less_the_mean(shared_data, tmp_path):
    weights = load_vgg19(shared_data / "vgg19")
    arrays = np.load(shared_data / "vgg19" / CAFFE.file)
    kernel = torch.from_numpy(arrays["block1_conv1.kernel"].astype(np.float32)).permute(3, 2, 0, 1)
    rgb = torch.rand(1, 3, 8, 8)
    bgr = 255 * rgb.flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    expected = F.conv2d(bgr, kernel, torch.from_numpy(arrays["block1_conv1.bias"]), padding=1)
    torch.testing.assert_close(weights.network(rgb, ["conv1_1"])["conv1_1"], expected, rtol=1e-4, atol=1e-3)

    scale, minimum = arrays["block5_conv4.kernel.scale_min"]
    value = float(arrays["block5_conv4.kernel.u8"][2, 0, 5, 7]) * scale + minimum
    assert weights.network.features[34].weight[7, 5, 2, 0].item() == pytest.approx(value)


def test_nothing_there_is_one_line_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        load_vgg19()
    line = str(caught.value)
    assert "\n" not in line
    for word in (TORCHVISION.file, CAFFE.file, "RELUME_VGG19", "IMAGENET1K_V1", str(cache_folder())):
        assert word in line
    with pytest.raises(InputError, match="not-there"):
        load_vgg19(tmp_path / "not-there")


def test_a_file_with_another_content_is_refused(tmp_path):
    file = tmp_path / TORCHVISION.file
    file.write_bytes(b"something else")
    with pytest.raises(InputError, match=hashlib.sha256(b"something else").hexdigest()):
        load_vgg19(file)


def test_a_damaged_copy_is_refused():
    copy = cache_folder() / CAFFE.copy
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"something else")
    with pytest.raises(InputError, match="delete it"):
        load_vgg19()
