"""Pixel losses between a restored picture and its target, both in [0, 1], averaged over everything."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def l1(sr: Float[Tensor, "n c h w"], hq: Float[Tensor, "n c h w"]) -> Float[Tensor, ""]:
    """Mean absolute error."""
    return F.l1_loss(sr, hq)


def mse(sr: Float[Tensor, "n c h w"], hq: Float[Tensor, "n c h w"]) -> Float[Tensor, ""]:
    """Mean squared error."""
    return F.mse_loss(sr, hq)


def charbonnier(
    sr: Float[Tensor, "n c h w"], hq: Float[Tensor, "n c h w"], epsilon: float = 1e-3
) -> Float[Tensor, ""]:
    """Mean of √((sr − hq)² + ε²), a smooth absolute error.

    Source: W.-S. Lai et al., "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
    CVPR 2017, eq. 2.
    """
    return torch.sqrt((sr - hq).square() + epsilon**2).mean()
