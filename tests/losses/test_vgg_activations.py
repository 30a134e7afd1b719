from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from relume.losses.vgg_activations import MEASURED, dead_leaves, measure, typical_size
from relume.losses.vgg_weights import CAFFE, VGG19Weights


def test_dead_leaves_are_always_the_same_picture():
    picture = dead_leaves(32, 100)
    assert picture.shape == (1, 3, 32, 32)
    assert torch.equal(picture, dead_leaves(32, 100))
    assert 0 <= picture.min() < picture.max() <= 1


def test_the_table_is_of_photographs(original_vgg19, shared_data):
    file = shared_data / "train" / "bsds500" / "100075.jpg"
    pixels = np.asarray(Image.open(file).convert("RGB"), np.float32)[48:272, 128:352] / 255
    measured = measure(original_vgg19, torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])
    for tap, (photographs, _) in MEASURED.items():
        assert 0.5 < measured[tap] / photographs < 2, tap
    assert typical_size(original_vgg19) == {tap: photographs for tap, (photographs, _) in MEASURED.items()}


def test_other_weights_are_estimated_from_dead_leaves(original_vgg19):
    """The original weights with everything a hundredth as large, as an unknown set."""
    network = deepcopy(original_vgg19.network)
    for name, parameter in network.named_parameters():
        if name == "features.0.weight" or name.endswith("bias"):
            parameter.data.mul_(0.01)
    estimated = typical_size(VGG19Weights(replace(CAFFE, name="other"), network))
    for tap, (photographs, _) in MEASURED.items():
        assert estimated[tap] == pytest.approx(photographs / 100, rel=2e-3)
