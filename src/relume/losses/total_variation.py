"""Total variation: how much neighbouring pixels differ, a penalty on noise and checkerboards."""

from jaxtyping import Float
from torch import Tensor


def total_variation(sr: Float[Tensor, "n c h w"]) -> Float[Tensor, ""]:
    """Anisotropic total variation: mean |difference| of vertical neighbours plus that of horizontal ones.

    Source: L. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms",
    Physica D 1992, with |·| for each direction instead of the gradient's length, and means for sums.

    Args:
        sr: at least 2 × 2 pixels.
    """
    sr = sr.float()
    return sr.diff(dim=2).abs().mean() + sr.diff(dim=3).abs().mean()
