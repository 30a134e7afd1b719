"""What every architecture promises, checked for every entry of the table."""

import pytest
import torch

from relume.archs import ARCHS, Network, build, num_parameters
from relume.card import ModelCard
from relume.errors import UsageError

CONFIGURATIONS = [
    *(("srresnet", {"scale": scale, "width": 8}) for scale in (2, 3, 4, 8)),
    *(("srresnet", {"scale": scale, "width": 8, "smooth_upsampling": True}) for scale in (2, 3, 4)),
    ("keras-srgan", {"scale": 4, "width": 8, "smooth_upsampling": True}),
    *(("faces", {"upsample": upsample, "smooth_upsampling": True}) for upsample in ("shuffle", "deconv")),
    ("unet", {"scale": 2, "smooth_upsampling": True}),
    *(
        ("compact", {"scale": scale, "size": size})
        for scale in (2, 3, 4)
        for size in ("tiny", "small", "medium")
    ),
    *(("rrdb", {"scale": scale, "width": 8, "growth": 4, "num_blocks": 1}) for scale in (2, 4, 8)),
    ("unet", {"scale": 4}),
    *(("faces", {"upsample": upsample}) for upsample in ("shuffle", "deconv")),
    *(("keras-srgan", {"scale": scale, "width": 8}) for scale in (2, 4, 8)),
    ("keras-srgan", {"scale": 2, "as_printed": True, "width": 8}),
    *(("deblurgan", {"transposed": transposed}) for transposed in (False, True)),
    *(("deblurgan", {"as_published": True, "transposed": transposed}) for transposed in (False, True)),
    ("deblurgan-unet", {}),
    ("compact-unet", {"width": 8}),
]
IDS = [
    "-".join([arch, *(f"{key}={value}" for key, value in options.items())])
    for arch, options in CONFIGURATIONS
]
networks = pytest.mark.parametrize(("arch", "options"), CONFIGURATIONS, ids=IDS)


def test_every_architecture_is_under_contract():
    assert {arch for arch, _ in CONFIGURATIONS} == set(ARCHS)


@networks
def test_the_declared_halo_is_the_real_receptive_field(arch, options):
    network = build(arch, options).double().eval().requires_grad_(False)
    if network.global_stats:
        pytest.skip("sees the whole picture")
    multiple = network.size_multiple
    start = -(-(network.halo_px + 1) // multiple) * multiple
    reached = [_reach(network, start + phase) for phase in sorted({0, 5 * multiple // 8, multiple - 1})]
    unseen = 0 if multiple == 1 else 1  # not every phase of the strides is tried
    assert network.halo_px - unseen <= max(map(max, reached)) <= network.halo_px


def _reach(network: Network, centre: int) -> tuple[int, int, int, int]:
    """How far up, down, left and right of ``centre`` an output pixel depends on the input."""
    size = -(-(centre + network.halo_px + 3) // network.size_multiple) * network.size_multiple
    lq = torch.rand(1, 3, size, size, dtype=torch.double, requires_grad=True)
    first, last = centre * network.scale, (centre + 1) * network.scale
    network(lq)[..., first:last, first:last].square().sum().backward()
    assert lq.grad is not None
    rows = lq.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    columns = lq.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    return centre - int(rows[0]), int(rows[-1]) - centre, centre - int(columns[0]), int(columns[-1]) - centre


@networks
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2)])
def test_any_multiple_of_the_size_multiple_is_enlarged_by_the_scale(arch, options, height, width):
    network = build(arch, options).eval()
    height, width = height * network.size_multiple, width * network.size_multiple
    with torch.no_grad():
        sr = network(torch.rand(1, 3, height, width))
    assert sr.shape == (1, 3, height * network.scale, width * network.scale)


@networks
def test_merged_network_computes_the_same(arch, options):
    network = build(arch, options).eval()
    multiple = network.size_multiple
    lq = torch.rand(2, 3, -(-11 // multiple) * multiple, -(-13 // multiple) * multiple)
    with torch.no_grad():
        assert torch.allclose(network(lq), network.deployed()(lq), atol=1e-5)


@networks
def test_training_reaches_every_parameter(arch, options):
    network = build(arch, options).train()
    side = max(8, network.size_multiple)
    network(torch.rand(2, 3, side, side)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@networks
def test_card_rebuilds_the_network(arch, options):
    network = build(arch, options)
    card = ModelCard(
        name="x",
        task="upscale",
        arch=arch,
        arch_options=options,
        scale=network.scale,
        halo_px=network.halo_px,
    )
    card = ModelCard.from_json(card.to_json())
    again = build(card.arch, card.arch_options)
    assert again.state_dict().keys() == network.state_dict().keys()
    assert (again.scale, again.halo_px) == (network.scale, network.halo_px)


def test_esrgan_has_the_published_number_of_parameters():
    assert num_parameters(build("rrdb", {"width": 64, "growth": 32, "num_blocks": 23})) == 16_697_987


@pytest.mark.parametrize(("scale", "expected"), [(2, 1_401_749), (4, 1_549_462), (8, 1_697_175)])
def test_srresnet_has_the_published_number_of_parameters(scale, expected):
    assert num_parameters(build("srresnet", {"scale": scale})) == expected


@pytest.mark.parametrize(
    ("arch", "options", "expected"),
    [
        ("unet", {"scale": 4}, 22_359_043),
        ("faces", {"upsample": "shuffle"}, 593_392),
        ("faces", {"upsample": "deconv"}, 541_696),
        ("keras-srgan", {"scale": 2, "as_printed": True}, 1_361_667),
        ("keras-srgan", {"scale": 4}, 1_546_435),
        ("unet", {"scale": 2}, 22_293_379),
        ("deblurgan-unet", {}, 9_385_155),
        ("deblurgan", {}, 11_378_179),
        ("deblurgan", {"transposed": True}, 11_378_179),
    ],
)
def test_reference_generators_have_the_specified_number_of_parameters(arch, options, expected):
    assert num_parameters(build(arch, options)) == expected


def test_deblurgan_as_published_has_the_number_of_values_that_keras_counts():
    tensors = build("deblurgan", {"as_published": True}).state_dict()
    assert sum(v.numel() for name, v in tensors.items() if "num_batches" not in name) == 11_399_171


@pytest.mark.parametrize(("size", "about"), [("tiny", 40_000), ("small", 100_000), ("medium", 500_000)])
def test_compact_sizes_are_about_what_they_are_called(size, about):
    merged = build("compact", {"scale": 4, "size": size}).deployed()
    assert num_parameters(merged) == pytest.approx(about, rel=0.1)


@pytest.mark.parametrize("arch", ["deblurgan", "deblurgan-unet"])
def test_training_to_deblur_begins_with_the_input(arch):
    lq = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        change = build(arch, {})(lq) - lq
    assert 0 < change.abs().max() < 0.02


def test_srresnet_works_in_its_published_ranges():
    network = build("srresnet", {"scale": 4})
    white = torch.ones(1, 3, 2, 2)
    assert network.encode(white).amax().item() == pytest.approx((1 - 0.406) / 0.225)
    assert network.decode(-white).tolist() == torch.zeros(1, 3, 2, 2).tolist()


def test_unknown_architectures_and_options_are_usage_errors():
    with pytest.raises(UsageError, match="unknown architecture; got swin; allowed: srresnet, compact, rrdb"):
        build("swin", {})
    with pytest.raises(UsageError, match="compact cannot be built"):
        build("compact", {"size": "huge"})
    with pytest.raises(UsageError, match="scale 5"):
        build("srresnet", {"scale": 5})
