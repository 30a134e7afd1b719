"""Checkerboards in results, as a loss: perceptual and adversarial losses let networks paint them."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

WINDOW_CELLS = 8
"""Side of a window in periods: large enough that texture averages out, small enough for local patterns."""


def checkerboard(
    sr: Float[Tensor, "n c h w"], hq: Float[Tensor, "n c h w"], period_px: int
) -> Float[Tensor, ""]:
    """How much of the error repeats with a period, as the mean absolute value of the pattern.

    A pattern of this period has period² places, each with an error of its own. Over windows of 8×8 periods,
    half overlapping, the mean error of each place is compared with that of all. What a network gets wrong
    without regularity averages out; what layers that enlarge leave stays. Multiples of the frequency are
    seen too.

    Args:
        sr: results in [0, 1], computed in float32 whatever the type.
        hq: targets in [0, 1].
        period_px: of the pattern; of a network that enlarges, its scale.
    """
    height, width = (side // period_px * period_px for side in sr.shape[-2:])
    error = (sr.float() - hq.float())[..., :height, :width]
    places = F.pixel_unshuffle(error, period_px).unflatten(1, (-1, period_px**2))
    pattern = (places - places.mean(2, keepdim=True)).flatten(1, 2)
    window = min(WINDOW_CELLS, *pattern.shape[-2:])
    return F.avg_pool2d(pattern, window, stride=max(1, window // 2)).abs().mean()
