"""DeblurGAN's generators: nine residual blocks at a quarter of the size, or a U-Net.

Source: O. Kupyn et al., "DeblurGAN: Blind Motion Deblurring Using Conditional Adversarial Networks", CVPR
2018, section 3.2 and figure 3.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Network, nearest

NUM_BLOCKS = 9


class DeblurGAN(Network):
    """7×7, two halvings, nine residual blocks, two doublings, 7×7, tanh, and the input added.

    Corrected: instance norm, and ``input + tanh`` clipped to [−1, 1], which can reach full contrast
    (11,378,179 parameters). As published in the text: batch norm, dropout in the blocks and
    ``(input + tanh) / 2`` (11,399,171 values, running statistics included). Doubling is by
    resize-convolution, which leaves no checkerboard, or by transposed convolution. Fresh weights change
    the picture very little, so that training begins with the input and not with noise.

    Args:
        scale: 1, there is no other.
        as_published: the text's network.
        transposed: transposed convolutions instead of resizing.
    """

    value_range = (-1.0, 1.0)
    size_multiple = 8

    def __init__(self, scale: int = 1, as_published: bool = False, transposed: bool = False):
        super().__init__()
        assert scale == 1, f"scale {scale} is not 1"
        self.scale = scale
        self.as_published = as_published
        self.global_stats = not as_published
        norm = nn.BatchNorm2d if as_published else nn.InstanceNorm2d
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), norm(64), nn.ReLU(),
            nn.Conv2d(64, 128, 3, 2, padding=1), norm(128), nn.ReLU(),
            nn.Conv2d(128, 256, 3, 2, padding=1), norm(256), nn.ReLU(),
            *(_Block(256, norm, dropout=as_published) for _ in range(NUM_BLOCKS)),
            _double(256, 128, transposed), norm(128), nn.ReLU(),
            _double(128, 64, transposed), norm(64), nn.ReLU(),
            nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh(),
        )  # fmt: skip
        if not as_published:
            _start_small(self.layers[-2])
        self.halo_px = 84 if transposed else 87

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """[−1, 1] -> [−1, 1]."""
        change = self.layers(lq)
        return (lq + change) / 2 if self.as_published else (lq + change).clamp(-1, 1)


class DeblurUNet(Network):
    """The U-Net that the text names beside the ResNet: three halvings, maps of equal size concatenated.

    Instance norm, resize-convolutions and the clipped sum as in :class:`DeblurGAN`.

    Args:
        scale: 1, there is no other.
        width: channels at full size; each halving doubles them.
    """

    value_range = (-1.0, 1.0)
    size_multiple = 16
    global_stats = True

    def __init__(self, scale: int = 1, width: int = 64):
        super().__init__()
        assert scale == 1, f"scale {scale} is not 1"
        self.scale = scale
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.head = _normed(nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7)), width)
        self.down = nn.ModuleList(_normed(nn.Conv2d(i, o, 3, 2, padding=1), o) for i, o in pairwise(widths))
        self.bottom = _Block(widths[-1], nn.InstanceNorm2d, dropout=False)
        self.up = nn.ModuleList(_normed(_double(2 * o, o), o) for o in reversed(widths[:-1]))
        self.join = nn.ModuleList(
            _normed(nn.Conv2d(2 * o, o, 3, padding=1), o) for o in reversed(widths[:-1])
        )
        self.tail = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())
        _start_small(self.tail[1])
        self.halo_px = 60

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """[−1, 1] -> [−1, 1]."""
        maps = [self.head(lq)]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        x = self.bottom(maps.pop())
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([up(x), maps.pop()], dim=1))
        return (lq + self.tail(x)).clamp(-1, 1)


class _Block(nn.Module):
    def __init__(self, width: int, norm: type[nn.Module], dropout: bool):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width), nn.ReLU(),
            *([nn.Dropout(0.5)] if dropout else []),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width),
        )  # fmt: skip

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.body(x)


class _Doubled(nn.Module):
    """Pixel repetition."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2h 2w"]:
        return nearest(x, 2)


def _double(inputs: int, outputs: int, transposed: bool = False) -> nn.Module:
    if transposed:
        return nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1)
    return nn.Sequential(_Doubled(), nn.Conv2d(inputs, outputs, 3, padding=1))


@torch.no_grad()
def _start_small(last: nn.Module) -> None:
    """Scale a fresh convolution down."""
    for parameter in last.parameters():
        parameter.mul_(0.01)


def _normed(layer: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.InstanceNorm2d(width), nn.ReLU())
