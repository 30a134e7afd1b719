"""SRResNet, the generator of SRGAN.

Source: C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", CVPR 2017, section 2.1 and figure 4.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Network
from relume.archs.rewriting import ConvAndShuffle, DeferredShuffle
from relume.archs.upsampling import SmoothConv2d, before_shuffle, shuffle_blocks, shuffle_reach

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class SRResNet(Network):
    """Sixteen residual blocks at low resolution, then a sub-pixel convolution for every factor of two.

    Input normalised with ImageNet's mean and deviation, output by tanh in [−1, 1]; zero padding, biases
    everywhere, one learned slope per PReLU. The 9×9 convolution at the end is done at half of the output's
    size (a third at ×3), before the last shuffle.

    Args:
        scale: 2, 3, 4 or 8. Factor 3, which the paper does not have, is one sub-pixel convolution by 3.
        width: channels of the trunk.
        num_blocks: residual blocks.
        smooth_upsampling: a box filter after every pixel shuffle: flat surfaces stay free of checkerboards,
            whatever the weights. Not in the paper; for a fifth more work.
    """

    value_range = (-1.0, 1.0)

    def __init__(
        self, scale: int = 4, width: int = 64, num_blocks: int = 16, smooth_upsampling: bool = False
    ):
        super().__init__()
        self.scale = scale
        factors = [3] if scale == 3 else [2] * int(math.log2(scale))
        assert math.prod(factors) == scale, f"scale {scale} is neither 3 nor a power of 2"
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(num_blocks)))
        self.trunk_end = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.upsampling = nn.Sequential(
            *(SubPixel(width, f, smooth_upsampling, index % 2 == 1) for index, f in enumerate(factors))
        )
        self.upsampling[-1][1] = DeferredShuffle(factors[-1])
        self.tail = nn.Sequential(ConvAndShuffle(width, 3, 9, factors[-1]), nn.Tanh())
        after_trunk = shuffle_reach(scale, factors, last_px=4, smooth=smooth_upsampling)
        self.halo_px = 4 + 2 * num_blocks + 1 + after_trunk

    def encode(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """[0, 1] -> ImageNet-normalised."""
        return (lq - self.mean) / self.std

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """ImageNet-normalised -> [−1, 1]."""
        first = self.head(lq)
        return self.tail(self.upsampling(self.trunk_end(self.blocks(first)) + first))


class ResidualBlock(nn.Module):
    """Convolution, batch norm, PReLU, convolution, batch norm, and the input added."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.body(x)


class SubPixel(nn.Sequential):
    """A convolution to ``factor²`` times the channels, which then become space; PReLU.

    While a smooth convolution trains, its output channels are in the order of sub-pixels, so that the shuffle
    moves whole pixels: the same result, and faster on processors with ``channels_last``.
    """

    def __init__(self, width: int, factor: int, smooth: bool, ahead: bool):
        conv = before_shuffle(width, width * factor**2, factor, smooth=smooth, ahead=ahead)
        super().__init__(conv, nn.PixelShuffle(factor), nn.PReLU())

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c fh fw"]:
        conv, shuffle, activation = self
        deferred = isinstance(shuffle, DeferredShuffle)
        if self.training and isinstance(conv, SmoothConv2d) and not deferred:
            return shuffle_blocks(activation(conv(x, blocks=True)), conv.factor)
        return super().forward(x)
