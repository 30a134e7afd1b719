import pytest
import torch

from relume.losses.content import charbonnier, l1, mse

SR = torch.tensor([[[[0.0, 0.5], [1.0, 0.25]]]])
HQ = torch.tensor([[[[0.5, 0.5], [0.0, 0.0]]]])


def test_losses_are_the_hand_computed_means():
    assert l1(SR, HQ).item() == pytest.approx((0.5 + 0 + 1 + 0.25) / 4)
    assert mse(SR, HQ).item() == pytest.approx((0.25 + 0 + 1 + 0.0625) / 4)
    expected = sum((d * d + 1e-6) ** 0.5 for d in (0.5, 0, 1, 0.25)) / 4
    assert charbonnier(SR, HQ).item() == pytest.approx(expected)
