"""The faces SRGAN's generator: stride-1 transposed convolutions with batch norm, ×4."""

from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Mergeable, Network
from relume.archs.rewriting import plain_convolutions, shuffled_last


class FacesNet(Network, Mergeable):
    """Five residual blocks of 3×3 transposed convolutions with stride 1, a skip around all, then ×4.

    Args:
        scale: 4, there is no other.
        upsample: ``shuffle``, sub-pixel convolutions (593,392 parameters), or ``deconv``, transposed
            convolutions with stride 2 (541,696).
    """

    def __init__(self, scale: int = 4, upsample: str = "shuffle"):
        super().__init__()
        assert scale == 4, f"scale {scale} is not 4"
        self.scale = scale
        self.head = nn.Sequential(_same(3, 64), nn.ReLU())
        self.blocks = nn.Sequential(*(_Block() for _ in range(5)))
        self.trunk_end = nn.Sequential(_same(64, 64), nn.BatchNorm2d(64))
        self.upsampling = {"shuffle": _shuffle, "deconv": _deconv}[upsample]()
        self.halo_px = {"shuffle": 14, "deconv": 13}[upsample]

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


def _shuffle() -> nn.Sequential:
    return nn.Sequential(
        _same(64, 256), nn.PixelShuffle(2), nn.ReLU(),
        _same(64, 64), nn.PixelShuffle(2), nn.ReLU(),
        _same(16, 3),
    )  # fmt: skip


def _deconv() -> nn.Sequential:
    def twice(outputs: int) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(64, outputs, 4, 2, padding=1, bias=False)

    return nn.Sequential(
        twice(64), nn.BatchNorm2d(64), nn.ReLU(),
        twice(64), nn.BatchNorm2d(64), nn.ReLU(),
        _same(64, 3),
    )  # fmt: skip
