"""The U-shaped generator of the conditional U-Net SRGAN: additive shortcuts, deconvolutions, ×4 or ×2."""

from jaxtyping import Float
from torch import Tensor, nn

from relume.archs.base import Network
from relume.archs.upsampling import SmoothConvTranspose2d


class UNet(Network):
    """Five halvings, then as many doublings with the maps of equal size added, then one or two more.

    Batch norm in [−1, 1]; the last convolution on the way down and the last deconvolution are bare. Weights
    start from N(0, 0.02).

    Args:
        scale: 4 (two deconvolutions beyond the input's size) or 2 (one).
        smooth_upsampling: see :class:`relume.archs.upsampling.SmoothConvTranspose2d`.
    """

    value_range = (-1.0, 1.0)
    size_multiple = 32

    def __init__(self, scale: int = 4, smooth_upsampling: bool = False):
        super().__init__()
        assert scale in {2, 4}, f"scale {scale} is neither 2 nor 4"
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.LeakyReLU(0.2))
        self.down = nn.ModuleList(_down(i, o) for i, o in ((64, 128), (128, 256), (256, 512), (512, 512)))
        self.bottom = nn.Conv2d(512, 512, 4, 2, padding=1)
        ups = [(512, 512), (512, 512), (512, 256), (256, 128), (128, 64), *([(64, 64)] if scale == 4 else [])]
        layers = [_up(i, o, smooth_upsampling, n % 2 == 1) for n, (i, o) in enumerate(ups)]
        self.up = nn.ModuleList(layers[:5])
        last = _deconvolution(64, 3, smooth_upsampling, ahead=len(ups) % 2 == 1)
        self.tail = nn.Sequential(*layers[5:], last)
        self.halo_px = 116 if smooth_upsampling else 95
        self.apply(_initialise)

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """[−1, 1] -> about [−1, 1]; sides must be multiples of 32."""
        maps = [self.head(lq)]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        x = self.bottom(maps[-1])
        for layer in self.up:
            x = layer(x) + maps.pop()
        return self.tail(x)


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 4, 2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)
    )


def _up(inputs: int, outputs: int, smooth: bool, ahead: bool) -> nn.Sequential:
    deconvolution = _deconvolution(inputs, outputs, smooth, ahead, bias=False)
    return nn.Sequential(deconvolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _deconvolution(
    inputs: int, outputs: int, smooth: bool, ahead: bool, bias: bool = True
) -> nn.ConvTranspose2d:
    if smooth:
        return SmoothConvTranspose2d(inputs, outputs, 4, 2, ahead=ahead, bias=bias)
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1, bias=bias)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
