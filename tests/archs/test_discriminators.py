import pytest
import torch

from relume.archs import num_parameters
from relume.archs.discriminators import (
    ConditionalDiscriminator,
    FacesDiscriminator,
    KerasDiscriminator,
    PatchDiscriminator,
    SRGANDiscriminator,
    UNetDiscriminator,
)


def test_discriminators_have_the_specified_number_of_parameters():
    assert num_parameters(SRGANDiscriminator()) == 23_565_505
    assert num_parameters(ConditionalDiscriminator()) == 15_361_473
    assert num_parameters(PatchDiscriminator()) == 2_764_737
    assert num_parameters(FacesDiscriminator()) == 23_563_585
    assert num_parameters(KerasDiscriminator()) == 20_427_393
    assert num_parameters(UNetDiscriminator()) == 4_376_897


@pytest.mark.parametrize("side", [96, 97, 128])
def test_srgan_discriminator_takes_any_size(side):
    assert SRGANDiscriminator().eval()(torch.rand(2, 3, side, side)).shape == (2, 1)


@pytest.mark.parametrize("inject_at", [0, 2, 6])
def test_conditional_discriminator_depends_on_both_pictures(inject_at):
    network = ConditionalDiscriminator(inject_at).eval()
    candidate, lq = torch.rand(1, 3, 512, 512), torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        value = network(candidate, lq)
        assert value.shape == (1, 1)
        assert value != network(candidate, 1 - lq)
        assert value != network(1 - candidate, lq)


def test_patch_discriminator_judges_patches():
    assert PatchDiscriminator()(torch.rand(1, 3, 256, 256)).shape == (1, 1, 35, 35)


@pytest.mark.parametrize("shape", [(64, 64), (67, 50)])
def test_unet_discriminator_judges_every_pixel(shape):
    assert UNetDiscriminator(8)(torch.rand(1, 3, *shape)).shape == (1, 1, *shape)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_spectral_norm_brings_every_kernel_s_largest_singular_value_to_1(dtype):
    network = UNetDiscriminator(8)
    with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        for _ in range(30):
            network(torch.rand(1, 3, 16, 16))
    for convolution in (*network.down, *network.up, network.last[0], network.last[2]):
        largest = torch.linalg.matrix_norm(convolution.weight.detach().float().flatten(1), 2)
        assert largest.item() == pytest.approx(1, abs=0.05)


def test_what_spectral_norm_has_found_is_part_of_the_state():
    trained, restored = UNetDiscriminator(8), UNetDiscriminator(8)
    trained(torch.rand(1, 3, 16, 16))
    restored.load_state_dict(trained.state_dict())
    candidate = torch.rand(1, 3, 16, 16)
    for _ in range(3):
        assert torch.equal(trained(candidate), restored(candidate))
