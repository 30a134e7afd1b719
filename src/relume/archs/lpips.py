"""LPIPS: the distance of two pictures in a network's features, weighted by what people see.

The modules have the names of the published weights: the backbones those of torchvision's ``alexnet`` and
``vgg16``, the linear layers ``lin<i>.model.1.weight`` of the paper's repository, version 0.1.

Source: R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
eq. 1.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Backbone = Literal["alex", "vgg"]

MEAN, STD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What the published scaling layer does to RGB in [−1, 1]."""

CHANNELS: dict[Backbone, tuple[int, ...]] = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
}
"""Of the features that are compared."""

TAPS: dict[Backbone, tuple[int, ...]] = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
"""Where they are taken, indices in ``features``: after each ReLU of AlexNet, after each block of VGG16."""

SMALLEST_PX: dict[Backbone, int] = {"alex": 31, "vgg": 16}
"""The side that leaves a feature at the deepest of them."""


class LPIPS(nn.Module):
    """The distance; frozen.

    Args:
        backbone: ``alex``, with which published numbers are mostly measured, or ``vgg``.
    """

    mean: Float[Tensor, "3 1 1"]
    std: Float[Tensor, "3 1 1"]

    def __init__(self, backbone: Backbone = "alex"):
        super().__init__()
        self.features = _alexnet() if backbone == "alex" else _vgg16()
        self.taps = TAPS[backbone]
        for index, width in enumerate(CHANNELS[backbone]):
            self.add_module(f"lin{index}", _Linear(width))
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, a: Float[Tensor, "n 3 h w"], b: Float[Tensor, "n 3 h w"]) -> Float[Tensor, " n"]:
        """Distance of pictures in [0, 1]: squared differences of unit-length features, weighted by channel.

        At each layer they are averaged over the picture, and the layers are summed.
        """
        pairs = zip(self._taps(a), self._taps(b), strict=True)
        layers = [getattr(self, f"lin{i}")((_unit(x) - _unit(y)).square()) for i, (x, y) in enumerate(pairs)]
        return torch.stack([layer.mean(dim=(1, 2, 3)) for layer in layers]).sum(dim=0)

    def _taps(self, x: Tensor) -> list[Tensor]:
        x = (2 * x - 1 - self.mean) / self.std
        found: list[Tensor] = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            found += [x] if index in self.taps else []
        return found


class _Linear(nn.Module):
    """A weight a channel, under the name that it has in the published files, where a dropout precedes it."""

    def __init__(self, channels: int):
        super().__init__()
        self.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def _unit(x: Tensor) -> Tensor:
    """Features of length 1 at every position."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


def _alexnet() -> nn.Sequential:
    """As far as the last ReLU; A. Krizhevsky, "One weird trick for parallelizing CNNs", 2014."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )


def _vgg16() -> nn.Sequential:
    """As far as the last ReLU; Simonyan & Zisserman 2015, table 1, column D."""
    layers: list[nn.Module] = []
    channels = 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers[:-1])
