import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from relume.archs.lpips import CHANNELS, LPIPS, SMALLEST_PX


@pytest.fixture(params=["alex", "vgg"])
def network(request: pytest.FixtureRequest) -> LPIPS:
    torch.manual_seed(0)
    network = LPIPS(request.param)
    for index, width in enumerate(CHANNELS[request.param]):
        getattr(network, f"lin{index}").model[1].weight.copy_(torch.rand(1, width, 1, 1))
    return network


def windows(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """C × h × w -> C × rows × columns × size × size."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def features_by_hand(network: LPIPS, x: np.ndarray, ends_of_blocks: bool) -> list[np.ndarray]:
    """The published network in plain NumPy: convolutions as sums over windows, maxima over windows."""
    x = (2 * x - 1 - np.array([[[-0.030]], [[-0.088]], [[-0.188]]])) / np.array(
        [[[0.458]], [[0.448]], [[0.450]]]
    )
    found = []
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            weight, bias = layer.weight.double().numpy(), layer.bias.double().numpy()
            padded = np.pad(x, ((0, 0), *[(layer.padding[0],) * 2] * 2))
            cut = windows(padded, layer.kernel_size[0], layer.stride[0])
            x = np.maximum(np.einsum("chwij,ocij->ohw", cut, weight, optimize=True) + bias[:, None, None], 0)
            found.append((x, False))
        elif isinstance(layer, torch.nn.MaxPool2d):
            found[-1] = (x, True)
            x = windows(x, layer.kernel_size, layer.stride).max(axis=(3, 4))
    found[-1] = (x, True)
    return [x for x, ends in found if ends or not ends_of_blocks]


def test_distance_is_that_of_the_equation(network):
    """Eq. 1: the squared differences of unit vectors, weighted by channel, averaged over places, summed."""
    vgg = isinstance(network.features[2], torch.nn.Conv2d)
    a, b = np.random.default_rng(0).random((2, 3, 40, 35))
    expected = 0.0
    pairs = zip(*(features_by_hand(network, x, ends_of_blocks=vgg) for x in (a, b)), strict=True)
    for index, (x, y) in enumerate(pairs):
        weights = getattr(network, f"lin{index}").model[1].weight.double().numpy()[0, :, 0, 0]
        unit_x, unit_y = (f / (np.sqrt((f**2).sum(axis=0)) + 1e-10) for f in (x, y))
        expected += np.einsum("c,chw->hw", weights, (unit_x - unit_y) ** 2).mean()
    assert index == 4
    measured = network(*(torch.from_numpy(x[None]).float() for x in (a, b)))
    assert measured.item() == pytest.approx(expected, rel=1e-4)


def test_equal_pictures_have_no_distance(network):
    picture = torch.rand(2, 3, 40, 40)
    assert network(picture, picture).tolist() == [0, 0]
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("backbone", CHANNELS)
def test_smallest_side(backbone):
    side = SMALLEST_PX[backbone]
    network = LPIPS(backbone)
    assert network(torch.rand(1, 3, side, 40), torch.rand(1, 3, side, 40)).isfinite().all()
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, side - 1, 40), torch.rand(1, 3, side - 1, 40))


@pytest.mark.parametrize(
    ("backbone", "in_features", "last"), [("alex", 2_469_696, 10), ("vgg", 14_714_688, 28)]
)
def test_names_and_numbers_are_those_of_the_published_weights(backbone, in_features, last):
    state = LPIPS(backbone).state_dict()
    assert sum(value.numel() for name, value in state.items() if name.startswith("features.")) == in_features
    assert f"features.{last}.bias" in state
    linear = {name: tuple(value.shape) for name, value in state.items() if name.startswith("lin")}
    assert linear == {f"lin{i}.model.1.weight": (1, c, 1, 1) for i, c in enumerate(CHANNELS[backbone])}
