import pytest
import torch
from torch import nn

from relume.archs import build, num_parameters
from relume.archs.upsampling import start_even
from relume.metrics.checkerboard import checkerboard

NETWORKS = [
    ("srresnet", {"scale": 4, "width": 16, "num_blocks": 2}),
    ("srresnet", {"scale": 3, "width": 16, "num_blocks": 2}),
    ("keras-srgan", {"scale": 4, "width": 16}),
    ("faces", {"upsample": "shuffle"}),
    ("faces", {"upsample": "deconv"}),
    ("unet", {"scale": 4}),
    ("unet", {"scale": 2}),
    ("deblurgan", {"transposed": True}),
]


def lattice(network, side=64):
    """Of the result for a flat grey picture, relative to its spread over the pixels that see no border."""
    network = network.eval()
    with torch.no_grad():
        sr = network(torch.full((1, 3, side, side), 0.4)).clamp(0, 1)[0].permute(1, 2, 0).numpy()
    return checkerboard(sr[32:-32, 32:-32] if sr.shape[0] > 96 else sr, max(2, network.scale))


@pytest.mark.parametrize(("arch", "options"), NETWORKS)
def test_a_fresh_network_leaves_no_checkerboard_on_a_flat_picture(arch, options):
    torch.manual_seed(0)
    network = build(arch, options)
    before, parameters = lattice(network), num_parameters(network)
    start_even(network)
    assert num_parameters(network) == parameters
    assert lattice(network) < 0.1 * before + 0.05


def test_a_sub_pixel_convolution_starts_as_repetition_of_pixels():
    layers = nn.Sequential(nn.Conv2d(3, 8 * 9, 3, padding=1), nn.PixelShuffle(3))
    start_even(layers)
    sr = layers(torch.rand(1, 3, 5, 7))
    assert torch.equal(sr, sr[..., ::3, ::3].repeat_interleave(3, 2).repeat_interleave(3, 3))
    assert len(layers[0].weight.unique()) == 8 * 3 * 9


@pytest.mark.parametrize(("side", "padding", "extra"), [(4, 1, 0), (3, 1, 1), (2, 0, 0)])
def test_a_transposed_convolution_starts_as_repetition_and_a_convolution(side, padding, extra):
    layer = nn.ConvTranspose2d(2, 3, side, 2, padding=padding, output_padding=extra)
    spread = layer.weight.std().item()
    start_even(layer)
    assert layer.weight.std().item() == pytest.approx(spread)
    flat = layer(torch.ones(1, 2, 8, 8))[0, :, 4:-4, 4:-4]
    assert (flat - flat[:, :1, :1]).abs().max() < 1e-5
