import pytest
import torch

from relume.archs.vgg import VGG19Features
from relume.errors import UsageError
from relume.losses.perceptual import PerceptualLoss
from relume.losses.vgg_activations import MEASURED
from relume.losses.vgg_weights import TORCHVISION, VGG19Weights


@pytest.fixture(scope="module")
def weights() -> VGG19Weights:
    torch.manual_seed(0)
    return VGG19Weights(TORCHVISION, VGG19Features(TORCHVISION.mean, TORCHVISION.std))


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Restored pictures, targets."""
    return torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_it_is_the_hand_computed_value():
    """One feature is −2·red + 1, the other sixty-three are zero."""
    network = VGG19Features()
    for parameter in network.features[0].parameters():
        parameter.zero_()
    network.features[0].weight[0, 0, 1, 1] = -2
    network.features[0].bias[0] = 1
    weights = VGG19Weights(TORCHVISION, network)
    sr, hq = torch.zeros(2, 1, 3, 1, 2)
    sr[0, 0, 0], hq[0, 0, 0] = torch.tensor([0.25, 1.0]), torch.tensor([0.75, 0.25])
    before = torch.tensor([0.5 - -0.5, -1 - 0.5])
    after = torch.tensor([0.5 - 0, 0 - 0.5])
    for tap, difference in (("conv1_1", before), ("relu1_1", after)):
        squared = PerceptualLoss(weights, {tap: 3.0}, "mse", normalise=False, divisor=2.0)(sr, hq)
        absolute = PerceptualLoss(weights, {tap: 3.0}, "l1", normalise=False, divisor=2.0)(sr, hq)
        assert squared.item() == pytest.approx(3 * (difference / 2).square().sum().item() / 128)
        assert absolute.item() == pytest.approx(3 * (difference / 2).abs().sum().item() / 128)


def test_taps_are_weighted_and_summed(weights, pictures):
    def loss(taps):
        return PerceptualLoss(weights, taps, normalise=False)(*pictures)

    together = loss({"relu1_2": 0.5, "conv3_3": 2.0})
    torch.testing.assert_close(together, 0.5 * loss({"relu1_2": 1.0}) + 2 * loss({"conv3_3": 1.0}))


def test_equal_parts_of_a_batch_average_to_the_whole(weights, pictures):
    loss = PerceptualLoss(weights, {"relu2_2": 1.0}, normalise=False)
    sr, hq = pictures
    torch.testing.assert_close((loss(sr[:2], hq[:2]) + loss(sr[2:], hq[2:])) / 2, loss(sr, hq))


def test_only_the_restored_picture_gets_gradients(weights, pictures):
    sr, hq = (p.clone().requires_grad_() for p in pictures)
    PerceptualLoss(weights, {"relu1_2": 1.0}, normalise=False)(sr, hq).backward()
    assert sr.grad.abs().sum() > 0
    assert hq.grad is None
    assert all(p.grad is None for p in weights.network.parameters())


def test_under_autocast_it_is_float32_and_nearly_the_same(weights, pictures):
    loss = PerceptualLoss(weights, {"relu1_2": 1.0, "relu3_3": 1.0}, "l1", normalise=False)
    sr, hq = pictures
    with torch.autocast("cpu", torch.bfloat16):
        low = loss(sr.bfloat16(), hq)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, loss(sr, hq), rtol=0.02, atol=0)


def test_features_are_divided_by_their_typical_size(original_vgg19, pictures):
    for kind, power in (("mse", 2), ("l1", 1)):
        as_they_are = PerceptualLoss(original_vgg19, {"relu2_2": 1.0}, kind, normalise=False)(*pictures)
        normalised = PerceptualLoss(original_vgg19, {"relu2_2": 1.0}, kind)(*pictures)
        torch.testing.assert_close(normalised, as_they_are / MEASURED["relu2_2"][0] ** power)


def test_unknown_taps_and_none_are_refused(weights):
    with pytest.raises(UsageError, match="relu6_1"):
        PerceptualLoss(weights, {"relu6_1": 1.0})
    with pytest.raises(UsageError, match="at least one"):
        PerceptualLoss(weights, {})
