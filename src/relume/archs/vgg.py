"""VGG19 without its classifier: the frozen network in whose features perceptual losses compare pictures.

Source: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, table 1, column E.
"""

from collections.abc import Iterable
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relume.errors import UsageError

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and number of convolutions of each block; a 2×2 maximum lies between two blocks."""

CONVOLUTIONS = {
    f"{block}_{place}": 2 * (sum(count for _, count in BLOCKS[: block - 1]) + place - 1) + block - 1
    for block, (_, count) in enumerate(BLOCKS, 1)
    for place in range(1, count + 1)
}
"""``1_1`` … ``5_4``: block and place in it -> index in ``features``."""

TAPS = {f"conv{name}": index for name, index in CONVOLUTIONS.items()} | {
    f"relu{name}": index + 1 for name, index in CONVOLUTIONS.items()
}
"""Where features can be taken, ``conv3_3`` before the ReLU, ``relu3_3`` after it -> index in ``features``."""


class VGG19Features(nn.Module):
    """The sixteen convolutions of VGG19, frozen, with the parameter names of torchvision's VGG19.

    Args:
        mean: what is subtracted from the three channels of the input before the first convolution.
        std: what the difference is divided by. Both belong to the weights.
        device: where the parameters are made; ``"meta"`` when weights are loaded with ``assign=True``.
    """

    mean: Float[Tensor, "3 1 1"]
    std: Float[Tensor, "3 1 1"]

    def __init__(
        self,
        mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
        std: tuple[float, float, float] = (1.0, 1.0, 1.0),
        *,
        device: str | None = None,
    ):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)
        layers: list[nn.Module] = []
        channels = 3
        for width, count in BLOCKS:
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1, device=device), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.eval().requires_grad_(False)

    def forward(
        self, x: Float[Tensor, "n 3 h w"], taps: Iterable[str]
    ) -> dict[str, Float[Tensor, "n _ _ _"]]:
        """The features at the taps, computed no deeper than the deepest of them.

        Args:
            x: pictures in the range that ``mean`` and ``std`` are for; RGB in [0, 1] with loaded weights.
            taps: names in :data:`TAPS`; a tap of block b has sides of ⌊h / 2ᵇ⁻¹⌋ and ⌊w / 2ᵇ⁻¹⌋,
                which must not be 0.

        Raises:
            UsageError: for an unknown tap.
        """
        wanted = {index_of(tap): tap for tap in taps}
        found: dict[str, Tensor] = {}
        x = (x - self.mean) / self.std
        for index, layer in enumerate(islice(self.features, max(wanted, default=-1) + 1)):
            x = layer(x)
            if index in wanted:
                found[wanted[index]] = x
        return found


def index_of(tap: str) -> int:
    """Index of a tap in ``features``.

    Raises:
        UsageError: for an unknown tap.
    """
    if tap not in TAPS:
        raise UsageError("VGG19 has no such tap", got=tap, allowed="conv1_1 … conv5_4, relu1_1 … relu5_4")
    return TAPS[tap]
