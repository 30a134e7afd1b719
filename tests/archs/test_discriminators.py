import pytest
import torch

from relume.archs import num_parameters
from relume.archs.discriminators import ConditionalDiscriminator, PatchDiscriminator, SRGANDiscriminator


def test_discriminators_have_the_specified_number_of_parameters():
    assert num_parameters(SRGANDiscriminator()) == 23_565_505
    assert num_parameters(ConditionalDiscriminator()) == 15_361_473
    assert num_parameters(PatchDiscriminator()) == 2_764_737


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
