"""RRDBNet, the generator of ESRGAN: residual blocks of dense blocks, without batch norm.

Source: X. Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCVW 2018,
section 3.1 and figure 4; section 3.4 for the small initial weights.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Network, nearest

RESIDUAL_SCALE = 0.2
"""What residuals are multiplied by, in dense blocks and around three of them."""


class RRDBNet(Network):
    """A convolution, residual-in-residual dense blocks with a long skip, resize-convolutions, two more.

    The paper's has width 64, growth 32 and 23 blocks: 16.7 million parameters. The defaults are a small one
    of 1.5 million, to teach smaller networks.

    Args:
        scale: 2, 4 or 8.
        width: channels of the trunk.
        growth: channels that every convolution of a dense block adds.
        num_blocks: residual-in-residual dense blocks.
    """

    def __init__(self, scale: int = 4, width: int = 32, growth: int = 16, num_blocks: int = 8):
        super().__init__()
        self.scale = scale
        doublings = int(math.log2(scale))
        assert 2**doublings == scale >= 2, f"scale {scale} is not a power of 2"
        self.head = _conv(3, width)
        self.blocks = nn.Sequential(*(RRDB(width, growth) for _ in range(num_blocks)))
        self.trunk_end = _conv(width, width)
        self.upsampling = nn.ModuleList(_conv(width, width) for _ in range(doublings))
        self.tail = nn.Sequential(_conv(width, width), _activation(), _conv(width, 3))
        self.activation = _activation()
        self.halo_px = 1 + 3 * DenseBlock.NUM_CONVOLUTIONS * num_blocks + 1 + 2

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """[0, 1] -> about [0, 1]."""
        first = self.head(lq)
        x = first + self.trunk_end(self.blocks(first))
        for conv in self.upsampling:
            x = self.activation(conv(nearest(x, 2)))
        return self.tail(x)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the results of all before it; the last one's are added."""

    NUM_CONVOLUTIONS = 5

    def __init__(self, width: int, growth: int):
        super().__init__()
        grown = [width + growth * index for index in range(self.NUM_CONVOLUTIONS)]
        self.convs = nn.ModuleList(_conv(channels, growth) for channels in grown[:-1])
        self.last = _conv(grown[-1], width)
        self.activation = _activation()
        for conv in (*self.convs, self.last):
            nn.init.kaiming_normal_(conv.weight)
            conv.weight.data.mul_(0.1)
            nn.init.zeros_(conv.bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        known = x
        for conv in self.convs:
            known = torch.cat([known, self.activation(conv(known))], dim=1)
        return x + RESIDUAL_SCALE * self.last(known)


class RRDB(nn.Module):
    """Three dense blocks in a row and a scaled residual around them."""

    def __init__(self, width: int, growth: int):
        super().__init__()
        self.body = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + RESIDUAL_SCALE * self.body(x)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _activation() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.2)
