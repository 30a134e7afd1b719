import pytest
import torch

from relume.archs import num_parameters
from relume.archs.vgg import TAPS, VGG19Features
from relume.errors import UsageError


@pytest.fixture(scope="module")
def network() -> VGG19Features:
    torch.manual_seed(0)
    return VGG19Features((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(1))


def test_taps_are_at_torchvisions_indices(network):
    expected = {
        "relu1_2": 3, "relu2_2": 8, "conv3_3": 14, "relu3_3": 15,
        "relu3_4": 17, "relu4_4": 26, "conv5_4": 34, "relu5_4": 35,
    }  # fmt: skip
    assert expected.items() <= TAPS.items()
    assert len(TAPS) == 32
    for tap, index in TAPS.items():
        assert isinstance(network.features[index], torch.nn.Conv2d if tap[0] == "c" else torch.nn.ReLU)


def test_parameters_are_named_and_shaped_like_torchvisions(network):
    state = network.state_dict()
    assert len(state) == 32
    assert state["features.0.weight"].shape == (64, 3, 3, 3)
    assert state["features.34.bias"].shape == (512,)
    assert num_parameters(network) == 20_024_384


def test_features_are_those_before_and_after_the_relu(network, picture):
    found = network(picture, ["relu3_3", "conv3_3", "relu1_2"])
    normalised = (picture - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / network.std
    torch.testing.assert_close(found["relu1_2"], network.features[:4](normalised))
    torch.testing.assert_close(found["conv3_3"], network.features[:15](normalised))
    assert found["conv3_3"].min() < 0
    assert torch.equal(found["relu3_3"], found["conv3_3"].clamp(min=0))
    assert found["relu3_3"].shape == (2, 256, 8, 10)


def test_nothing_below_the_deepest_tap_is_computed(network, picture):
    def refuse(*_):
        raise AssertionError

    handle = network.features[TAPS["conv2_1"] + 1].register_forward_pre_hook(refuse)
    assert network(picture, ["conv2_1"]).keys() == {"conv2_1"}
    with pytest.raises(AssertionError):
        network(picture, ["relu2_1"])
    handle.remove()


def test_only_the_picture_gets_gradients(network, picture):
    picture = picture.clone().requires_grad_()
    network(picture, ["relu5_4"])["relu5_4"].sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in network.parameters())
    assert not network.training


def test_channels_last_and_autocast_change_only_the_rounding(network, picture):
    expected = network(picture, ["relu4_4"])["relu4_4"]
    last = network(picture.contiguous(memory_format=torch.channels_last), ["relu4_4"])["relu4_4"]
    assert last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(last, expected)
    with torch.autocast("cpu", torch.bfloat16):
        low = network(picture, ["relu4_4"])["relu4_4"]
    assert low.dtype == torch.bfloat16
    assert (low - expected).norm() < 0.02 * expected.norm()


def test_an_unknown_tap_is_named(network, picture):
    with pytest.raises(UsageError, match="relu5_5"):
        network(picture, ["relu5_5"])
