"""The generator of the Keras SRGAN text: residual blocks without batch norm."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Mergeable, Network, PReLUBlock
from relume.archs.rewriting import shuffled_last
from relume.archs.upsampling import before_shuffle, shuffle_reach


class KerasSRGAN(Network, Mergeable):
    """Sixteen residual blocks without batch norm, PReLU with a slope per channel, tanh.

    Corrected: a convolution closes the trunk, the first features are added, and every factor of two has its
    own sub-pixel convolution with PReLU (1,546,435 parameters at ×4). As printed in the text there is no
    long skip, one bare sub-pixel convolution, and hence only ×2 (1,361,667). Weights start Glorot-uniform,
    biases at zero, as in Keras.

    Args:
        scale: 2, 4 or 8; only 2 as printed.
        as_printed: the text's defects included.
        width: channels of the trunk.
        smooth_upsampling: see :class:`relume.archs.upsampling.SmoothConv2d`.
    """

    value_range = (-1.0, 1.0)

    def __init__(
        self,
        scale: int = 4,
        as_printed: bool = False,
        width: int = 64,
        smooth_upsampling: bool = False,
    ):
        super().__init__()
        factors = [2] * int(math.log2(scale))
        assert scale in {2, 4, 8}, f"scale {scale} is not 2, 4 or 8"
        assert not as_printed or scale == 2, f"as printed the network enlarges ×2 only, not ×{scale}"
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU(width))
        self.blocks = nn.Sequential(*(PReLUBlock(width) for _ in range(16)))
        self.trunk_end = None if as_printed else nn.Conv2d(width, width, 3, padding=1)
        upsampling: list[nn.Module] = []
        for index in range(len(factors)):
            conv = before_shuffle(width, 4 * width, 2, smooth=smooth_upsampling, ahead=index % 2 == 1)
            upsampling += [conv, nn.PixelShuffle(2), *([] if as_printed else [nn.PReLU(width)])]
        self.upsampling = nn.Sequential(*upsampling)
        self.tail = nn.Sequential(nn.Conv2d(width, 3, 9, padding=4), nn.Tanh())
        after_trunk = shuffle_reach(scale, factors, last_px=4, smooth=smooth_upsampling)
        self.halo_px = 4 + 2 * 16 + (0 if as_printed else 1) + after_trunk
        self.apply(_initialise)

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """[−1, 1] -> [−1, 1]."""
        first = self.head(lq)
        x = self.blocks(first)
        if self.trunk_end is not None:
            x = self.trunk_end(x) + first
        return self.tail(self.upsampling(x))

    def merge(self) -> None:
        """Do the 9×9 convolution at half of the output's size, before the last shuffle."""
        self.tail = shuffled_last([self.upsampling, self.tail])
        self.upsampling = nn.Sequential()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
