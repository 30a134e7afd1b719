import pytest
import torch
from torch import nn
from torch.nn import functional as F

from relume.archs import build, num_parameters
from relume.archs.upsampling import SmoothConv2d, SmoothConvTranspose2d, shuffle_blocks, start_even
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


SMOOTH = [
    *(("srresnet", {"scale": scale, "width": 8, "num_blocks": 1}) for scale in (2, 3, 4, 8)),
    ("keras-srgan", {"scale": 4, "width": 8}),
    ("faces", {"upsample": "shuffle"}),
    ("faces", {"upsample": "deconv"}),
    ("unet", {"scale": 4}),
]


@pytest.mark.parametrize(("arch", "options"), SMOOTH)
def test_smooth_upsampling_leaves_flat_surfaces_flat_whatever_the_weights(arch, options):
    torch.manual_seed(0)
    plain, smooth = build(arch, options), build(arch, options | {"smooth_upsampling": True})
    assert num_parameters(smooth) == num_parameters(plain)
    assert _unevenness(plain) > 1e-3
    assert _unevenness(smooth) < 1e-12
    assert _unevenness(smooth.deployed()) < 1e-12


def _unevenness(network):
    """Largest difference between pixels of the result for a flat picture, away from its borders."""
    side = -(-(2 * network.halo_px + 3) // network.size_multiple) * network.size_multiple
    border = (network.halo_px + 1) * network.scale
    with torch.no_grad():
        sr = network.eval().double()(torch.full((1, 3, side, side), 0.4, dtype=torch.double))
    inside = sr[..., border:-border, border:-border].flatten(2)
    return (inside.amax(-1) - inside.amin(-1)).max().item()


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_the_box_in_the_kernel_is_one_behind_the_shuffle(factor, ahead, bias):
    conv = SmoothConv2d(4, 5 * factor**2, 3, factor, ahead=ahead, bias=bias).double()
    x = torch.rand(2, 4, 6, 7, dtype=torch.double)
    before, after = {(2, False): (1, 0), (2, True): (0, 1)}.get((factor, ahead), (1, 1))
    around = F.pad(x, (1, 1, 1, 1))  # the sub-pixels beside the picture are seen by the box too
    sub_pixels = F.pixel_shuffle(F.conv2d(around, conv.weight, conv.bias, padding=1), factor)
    first, last = factor - before, factor - after
    expected = F.avg_pool2d(sub_pixels[..., first:-last, first:-last], factor, stride=1)
    assert torch.allclose(F.pixel_shuffle(conv(x), factor), expected, atol=1e-12)
    assert torch.allclose(shuffle_blocks(conv(x, blocks=True), factor), expected, atol=1e-12)
    conv.merge()
    assert conv.weight.shape[-1] == (4 if factor == 2 else 5)
    assert torch.allclose(F.pixel_shuffle(conv(x), factor), expected, atol=1e-12)


@pytest.mark.parametrize("smooth", [False, True])
def test_srresnet_in_training_computes_what_it_does_afterwards(smooth):
    torch.manual_seed(0)
    options = {"scale": 4, "width": 8, "num_blocks": 1, "smooth_upsampling": smooth}
    network = build("srresnet", options).double().eval()  # batch norm with its running statistics
    x = torch.rand(2, 3, 7, 9, dtype=torch.double)
    results, gradients = [], []
    for training in (True, False):
        network.zero_grad()
        network.upsampling.train(training)
        results.append(network(x))
        results[-1].square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    assert torch.allclose(*results, atol=1e-12)
    assert all(torch.allclose(a, b, atol=1e-9) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(("side", "stride"), [(4, 2), (5, 3), (6, 2)])
@pytest.mark.parametrize("ahead", [False, True])
def test_a_transposed_convolution_is_smoothed_without_being_moved_by_a_pixel(side, stride, ahead):
    layer = SmoothConvTranspose2d(4, 5, side, stride, ahead=ahead).double()
    x = torch.rand(2, 4, 6, 7, dtype=torch.double)
    before, after = {(2, False): (1, 0), (2, True): (0, 1)}.get((stride, ahead), (1, 1))
    plain = F.conv_transpose2d(F.pad(x, (1, 1, 1, 1)), layer.weight, layer.bias, stride, layer.padding)
    first, last = stride - before, stride - after
    expected = F.avg_pool2d(plain[..., first:-last, first:-last], stride, stride=1)
    assert torch.allclose(layer(x), expected, atol=1e-12)


def test_weights_of_a_network_without_boxes_are_those_of_one_with_them():
    options = {"scale": 4, "width": 8, "num_blocks": 1}
    plain, smooth = build("srresnet", options), build("srresnet", options | {"smooth_upsampling": True})
    smooth.load_state_dict(plain.state_dict())
