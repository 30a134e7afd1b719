"""Distance of two pictures in the features of VGG19."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from relume.archs.vgg import index_of
from relume.errors import UsageError
from relume.losses.vgg_activations import typical_size
from relume.losses.vgg_weights import VGG19Weights

Kind = Literal["mse", "l1"]

DISTANCES = {"mse": F.mse_loss, "l1": F.l1_loss}


class PerceptualLoss(nn.Module):
    """Sum over taps of weight · distance of the features there, each averaged over all its values.

    Before the distance is taken, features are divided by ``divisor`` and, if ``normalise``, by the tap's root
    mean square on photographs. A weight then means about the same at every tap and for every set of VGG19
    weights; the squared distance is the squared error relative to the features' square. Published weights are
    mostly for features as they are. C. Ledig et al. (SRGAN, CVPR 2017, eq. 5 and section 3.2) divide them by
    12.75, which is ``normalise=False, divisor=12.75``.

    Source: J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
    ECCV 2016, eq. 2.

    Args:
        weights: VGG19, from :func:`relume.losses.vgg_weights.load_vgg19`. Its parameters are frozen.
        taps: name in :data:`relume.archs.vgg.TAPS` -> weight.
        kind: squared or absolute difference.
        normalise: divide by the root mean square on photographs.
        divisor: divide by this as well.

    Raises:
        UsageError: for an unknown tap, or none.
    """

    def __init__(
        self,
        weights: VGG19Weights,
        taps: Mapping[str, float],
        kind: Kind = "mse",
        *,
        normalise: bool = True,
        divisor: float = 1.0,
    ):
        super().__init__()
        if not taps:
            raise UsageError(
                "a perceptual loss needs at least one tap of VGG19", allowed="such as relu5_4: 1.0"
            )
        for tap in taps:
            index_of(tap)
        power = 2 if kind == "mse" else 1
        sizes = typical_size(weights) if normalise else {}
        self.network = weights.network
        self.distance = DISTANCES[kind]
        self.factors = {
            tap: weight / (divisor * sizes.get(tap, 1.0)) ** power for tap, weight in taps.items()
        }

    def forward(self, sr: Float[Tensor, "n 3 h w"], hq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, ""]:
        """Distance from the targets, both RGB in [0, 1]; float32, also under autocast."""
        with torch.no_grad():
            targets = self.network(hq, self.factors)
        features = self.network(sr, self.factors)
        distances = [
            factor * self.distance(features[tap].float(), targets[tap].float())
            for tap, factor in self.factors.items()
        ]
        return torch.stack(distances).sum()
