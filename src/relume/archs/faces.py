"""The faces SRGAN's generator: stride-1 transposed convolutions with batch norm, ×4."""

from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Mergeable, Network
from relume.archs.rewriting import plain_convolutions, shuffled_last
from relume.archs.upsampling import SmoothConv2d, SmoothConvTranspose2d, shuffle_reach


class FacesNet(Network, Mergeable):
    """Five residual blocks of 3×3 transposed convolutions with stride 1, a skip around all, then ×4.

    Args:
        scale: 4, there is no other.
        upsample: ``shuffle``, sub-pixel convolutions (593,392 parameters), or ``deconv``, transposed
            convolutions with stride 2 (541,696).
        smooth_upsampling: see :class:`relume.archs.upsampling.SmoothConv2d`. Of the transposed convolutions
            with stride 1, those before a shuffle are then written as the plain ones that they are.
    """

    def __init__(self, scale: int = 4, upsample: str = "shuffle", smooth_upsampling: bool = False):
        super().__init__()
        assert scale == 4, f"scale {scale} is not 4"
        self.scale = scale
        self.head = nn.Sequential(_same(3, 64), nn.ReLU())
        self.blocks = nn.Sequential(*(_Block() for _ in range(5)))
        self.trunk_end = nn.Sequential(_same(64, 64), nn.BatchNorm2d(64))
        self.upsampling = {"shuffle": _shuffle, "deconv": _deconv}[upsample](smooth_upsampling)
        reach = shuffle_reach(scale, (2, 2), last_px=1, smooth=smooth_upsampling)
        self.halo_px = 12 + (reach if upsample == "shuffle" else 1 + smooth_upsampling)

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 4h 4w"]:
        """[0, 1] -> about [0, 1]."""
        first = self.head(lq)
        return self.upsampling(self.trunk_end(self.blocks(first)) + first)

    def merge(self) -> None:
        """Plain convolutions for transposed ones of stride 1, and the last one before the last shuffle."""
        plain_convolutions(self)
        if any(isinstance(layer, nn.PixelShuffle) for layer in self.upsampling):
            self.upsampling = shuffled_last(self.upsampling)


class _Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            _same(64, 64), nn.BatchNorm2d(64), nn.ReLU(), _same(64, 64), nn.BatchNorm2d(64)
        )

    def forward(self, x: Float[Tensor, "n 64 h w"]) -> Float[Tensor, "n 64 h w"]:
        return x + self.body(x)


def _same(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 3, padding=1, bias=False)


def _shuffle(smooth: bool) -> nn.Sequential:
    def before(outputs: int, ahead: bool) -> nn.Module:
        return SmoothConv2d(64, outputs, 3, 2, ahead=ahead, bias=False) if smooth else _same(64, outputs)

    return nn.Sequential(
        before(256, ahead=False), nn.PixelShuffle(2), nn.ReLU(),
        before(64, ahead=True), nn.PixelShuffle(2), nn.ReLU(),
        _same(16, 3),
    )  # fmt: skip


def _deconv(smooth: bool) -> nn.Sequential:
    def twice(ahead: bool) -> nn.ConvTranspose2d:
        if smooth:
            return SmoothConvTranspose2d(64, 64, 4, 2, ahead=ahead, bias=False)
        return nn.ConvTranspose2d(64, 64, 4, 2, padding=1, bias=False)

    return nn.Sequential(
        twice(ahead=False), nn.BatchNorm2d(64), nn.ReLU(),
        twice(ahead=True), nn.BatchNorm2d(64), nn.ReLU(),
        _same(64, 3),
    )  # fmt: skip
