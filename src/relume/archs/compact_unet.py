"""A small U-Net for deblurring on ordinary CPUs: plain convolutions, and no statistics, so that it tiles.

Sources: S.-J. Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring" (MIMO-UNet), ICCV
2021, for residual blocks without norms at three sizes; L. Chen et al., "Simple Baselines for Image
Restoration" (NAFNet), ECCV 2022, for strided convolutions down, pixel shuffles up, and added shortcuts; W.
Shi et al., 2016, for pixel unshuffling, which makes the full-size work a quarter.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from relume.archs.base import Network, PReLUBlock


class CompactUNet(Network):
    """Pixel unshuffle, residual blocks at 1/2, 1/4 and 1/8 of the size and back, and the input added.

    Args:
        scale: 1, there is no other.
        width: channels at half size; each halving doubles them.
    """

    size_multiple = 8

    def __init__(self, scale: int = 1, width: int = 32):
        super().__init__()
        assert scale == 1, f"scale {scale} is not 1"
        self.scale = scale
        self.head = nn.Conv2d(12, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*_blocks(w, 2), nn.Conv2d(w, 2 * w, 2, 2)) for w in (width, 2 * width)
        )
        self.bottom = nn.Sequential(*_blocks(4 * width, 4))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * w, 4 * w, 1), nn.PixelShuffle(2)) for w in (2 * width, width)
        )
        self.join = nn.ModuleList(nn.Sequential(*_blocks(w, 2)) for w in (2 * width, width))
        self.tail = nn.Conv2d(width, 12, 3, padding=1)
        for parameter in self.tail.parameters():
            parameter.data.mul_(0.1)  # start near the input
        self.halo_px = 123

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """[0, 1] -> about [0, 1]; sides must be multiples of 8."""
        x = self.head(F.pixel_unshuffle(lq, 2))
        shortcuts = []
        for layer in self.down:
            shortcuts.append(layer[:-1](x))
            x = layer[-1](shortcuts[-1])
        x = self.bottom(x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(up(x) + shortcuts.pop())
        return lq + F.pixel_shuffle(self.tail(x), 2)


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [PReLUBlock(width) for _ in range(count)]
