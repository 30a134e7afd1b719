import pytest
import torch
from torch import nn

from relume.archs.rewriting import ConvAndShuffle, as_convolution, plain_convolutions, shuffled_last


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("side", [1, 3, 9])
@pytest.mark.parametrize("slopes", [1, 5])
def test_the_shuffle_moves_behind_the_convolution(factor: int, side: int, slopes: int):
    layers = nn.Sequential(
        nn.Conv2d(4, 5 * factor**2, 3, padding=1),
        nn.PixelShuffle(factor),
        nn.PReLU(slopes),
        nn.Conv2d(5, 3, side, padding=side // 2),
        nn.Tanh(),
    ).double()
    nn.init.uniform_(layers[2].weight, 0.1, 0.9)
    rewritten = shuffled_last(layers)
    assert isinstance(rewritten[-1], nn.PixelShuffle)
    x = torch.rand(2, 4, 6, 7, dtype=torch.double)
    with torch.no_grad():
        assert torch.allclose(rewritten.double()(x), layers(x), atol=1e-12)


def test_only_the_last_shuffle_moves():
    layers = nn.Sequential(
        nn.PixelShuffle(2), nn.Conv2d(4, 16, 1), nn.PixelShuffle(2), nn.Conv2d(4, 3, 3, padding=1)
    )
    names = [type(layer).__name__ for layer in shuffled_last([layers])]
    assert names == ["PixelShuffle", "Conv2d", "Conv2d", "PixelShuffle"]


@pytest.mark.parametrize("factor", [2, 3])
def test_a_convolution_behind_a_shuffle_learns_the_same_before_it(factor: int):
    behind = nn.Conv2d(5, 3, 9, padding=4).double()
    before = ConvAndShuffle(5, 3, 9, factor).double()
    before.load_state_dict(behind.state_dict())
    x = torch.rand(2, 5 * factor**2, 6, 7, dtype=torch.double)
    expected = behind(nn.functional.pixel_shuffle(x, factor))
    assert torch.allclose(before(x), expected, atol=1e-12)
    behind_gradients = torch.autograd.grad(expected.square().sum(), behind.parameters())
    before_gradients = torch.autograd.grad(before(x).square().sum(), before.parameters())
    for found, wanted in zip(before_gradients, behind_gradients, strict=True):
        assert torch.allclose(found, wanted, atol=1e-10)
    before.merge()
    assert torch.allclose(before(x), expected, atol=1e-12)


@pytest.mark.parametrize(("side", "padding", "bias"), [(3, 1, False), (3, 0, True), (5, 2, True)])
def test_transposed_convolutions_of_stride_1_are_plain_ones(side: int, padding: int, bias: bool):
    transposed = nn.ConvTranspose2d(4, 6, side, padding=padding, bias=bias)
    x = torch.rand(1, 4, 8, 9)
    with torch.no_grad():
        assert torch.allclose(as_convolution(transposed)(x), transposed(x), atol=1e-5)


def test_other_transposed_convolutions_stay():
    layers = nn.Sequential(nn.Sequential(nn.ConvTranspose2d(3, 3, 3)), nn.ConvTranspose2d(3, 3, 4, 2))
    plain_convolutions(layers)
    assert [type(layer).__name__ for layer in (layers[0][0], layers[1])] == ["Conv2d", "ConvTranspose2d"]
