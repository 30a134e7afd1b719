import numpy as np
import pytest
import torch
from PIL import Image

from relume.archs.base import Network, nearest
from relume.metrics.protocol import PROTOCOLS, score
from relume.train.crops import find_data
from relume.train.recipe import Recipe
from relume.train.validation import LARGEST_PX, Sample, Validation, bicubic, mean_scores


class Nearest(Network):
    """Repeats pixels."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.halo_px = scale, 0
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def restore(self, lq):
        return nearest(lq, self.scale) + 0 * self.unused


def changed(recipe, **changes):
    return Recipe.model_validate({**recipe.resolved(), **changes})


def validate(recipe):
    network = Nearest(recipe.scale)
    return Validation(recipe, find_data(recipe)()).run(network, recipe.card(network))


def test_without_pictures_crops_of_the_training_data_are_watched(recipe):
    first, second = validate(recipe), validate(recipe)
    assert len(first) == recipe.validation.most
    assert [s.hq.shape for s in first] == [(32, 32, 3)] * 2
    assert all(np.array_equal(a.lq, b.lq) for a, b in zip(first, second, strict=True))
    repeated = first[0].lq.repeat(4, 0).repeat(4, 1)
    assert np.allclose(first[0].sr, repeated, atol=1e-6)


def test_scores_are_those_of_the_protocol(recipe):
    recipe = changed(recipe, validation={"most": 1, "protocol": "rgb"})
    (sample,) = validate(recipe)
    assert (sample.psnr, sample.ssim) == score(sample.sr, sample.hq, 4, PROTOCOLS["rgb"])


def test_pictures_are_cut_to_a_size_that_takes_seconds_and_fits_the_scale(recipe, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (49, LARGEST_PX + 90, 3), np.uint8)).save(
        tmp_path / "held-out.png"
    )
    (sample,) = validate(changed(recipe, validation={"pictures": [str(tmp_path / "held-out.png")]}))
    assert sample.hq.shape == (48, LARGEST_PX, 3)
    assert sample.lq.shape == (12, LARGEST_PX // 4, 3)


def test_given_pairs_are_validated_on_pairs(recipe, tmp_path):
    for folder, colour in (("A", (10, 20, 30)), ("B", (10, 20, 40))):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        Image.new("RGB", (40, 36), colour).save(tmp_path / "pairs" / folder / "x.png")
    data = {"train": [str(tmp_path / "pairs")], "crop_px": 32}
    pairs = {"pictures": [str(tmp_path / "pairs")]}
    deblur = changed(
        recipe, task="deblur", scale=1, degradation={"kind": "given"}, data=data, validation=pairs,
        arch={"kind": "deblurgan-unet", "width": 4},
    )  # fmt: skip
    (sample,) = validate(deblur)
    assert sample.name == "x.png"
    assert sample.lq[0, 0] * 255 == pytest.approx([10, 20, 30])
    assert sample.hq[0, 0] * 255 == pytest.approx([10, 20, 40])


def test_means_and_the_picture_to_beat(recipe):
    grey = np.full((8, 8, 3), 0.5, np.float32)
    samples = [Sample("a", grey[:2, :2], grey, grey, 30.0, 0.8), Sample("b", grey, grey, grey, 40.0, 0.9)]
    assert mean_scores(samples) == pytest.approx({"psnr": 35.0, "ssim": 0.85, "checkerboard": 0.0})
    assert bicubic(samples[0]) == pytest.approx(grey, abs=1e-6)


def test_a_checkerboard_is_what_the_network_adds_to_that_of_the_target(recipe):
    crops = find_data(recipe)()
    network = Striped(recipe.scale)
    sample = Validation(recipe, crops).run(network, recipe.card(network))[0]
    assert sample.checkerboard == pytest.approx(255 * 0.05, rel=0.3)


class Striped(Nearest):
    """Grey with rows that are brighter and darker by turns, two by two."""

    def restore(self, lq):
        rows = torch.arange(4 * lq.shape[2]) % 4 - 1.5
        return 0 * super().restore(lq) + 0.5 + 0.05 * torch.sign(rows)[:, None]
