"""Networks that tell restored pictures from real ones: they give logits or critic values.

All take pictures in their own declared range; :class:`Discriminator` converts from [0, 1].
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """What a discriminator takes and gives.

    Attributes:
        conditional: whether it looks at the input beside the candidate.
    """

    conditional: bool = False

    def forward(
        self, candidate: Float[Tensor, "n 3 h w"], lq: Float[Tensor, "n 3 lh lw"] | None = None
    ) -> Float[Tensor, "n ..."]:
        """Judge pictures in [0, 1]: larger means more real; no sigmoid."""
        return self.judge(candidate * 2 - 1, None if lq is None else lq * 2 - 1)

    def judge(
        self, candidate: Float[Tensor, "n 3 h w"], lq: Float[Tensor, "n 3 lh lw"] | None
    ) -> Float[Tensor, "n ..."]:
        """The network proper, on pictures in [−1, 1]."""
        raise NotImplementedError


class PlainDiscriminator(Discriminator):
    """One that looks at the candidate only, through ``layers``: a logit a picture, or a value a patch."""

    layers: nn.Sequential

    def judge(
        self, candidate: Float[Tensor, "n 3 h w"], lq: Float[Tensor, "n 3 lh lw"] | None
    ) -> Float[Tensor, "n ..."]:
        """See :meth:`Discriminator.judge`."""
        return self.layers(candidate)


class SRGANDiscriminator(PlainDiscriminator):
    """Eight 3×3 convolutions, every other one with stride 2, then two dense layers.

    Source: C. Ledig et al., SRGAN, CVPR 2017, figure 4; adaptive pooling to 6×6 makes any size possible.

    Args:
        pool_px: side of the pooled map.
        hidden: width of the first dense layer.
    """

    def __init__(self, pool_px: int = 6, hidden: int = 1024):
        super().__init__()
        features = _eight_convolutions(lambda width: [nn.BatchNorm2d(width), nn.LeakyReLU(0.2)], bias=True)
        self.layers = nn.Sequential(*features, _dense_head(pool_px, hidden))


class FacesDiscriminator(PlainDiscriminator):
    """The faces text's: as SRGAN's, but biasless, and batch norm after the activation.

    Args:
        pool_px: side of the pooled map.
        hidden: width of the first dense layer.
    """

    def __init__(self, pool_px: int = 6, hidden: int = 1024):
        super().__init__()
        features = _eight_convolutions(lambda width: [nn.LeakyReLU(0.2), nn.BatchNorm2d(width)], bias=False)
        self.layers = nn.Sequential(*features, _dense_head(pool_px, hidden))


class KerasDiscriminator(PlainDiscriminator):
    """The Keras text's: four 3×3 convolutions with stride 2, no batch norm, two dense layers.

    Adaptive pooling before the dense layers, which cannot be built for unknown sizes otherwise.

    Args:
        pool_px: side of the pooled map.
        hidden: width of the first dense layer.
    """

    def __init__(self, pool_px: int = 6, hidden: int = 1024):
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 64), (64, 128), (128, 256), (256, 512)):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, _dense_head(pool_px, hidden))


class ConditionalDiscriminator(Discriminator):
    """Judges a candidate together with the input it was made from, which is joined in at a deeper layer.

    4×4 convolutions with stride 2 and no batch norm; made for candidates of 512×512, whose last map is 4×4.
    Maps of other sizes are pooled to that.

    Args:
        inject_at: number of convolutions before the input is joined in.
    """

    conditional = True

    def __init__(self, inject_at: int = 2):
        super().__init__()
        widths = (64, 128, 256, 512, 512, 512, 512)
        assert 0 <= inject_at < len(widths), f"inject_at {inject_at} is not in 0 … {len(widths) - 1}"
        self.inject_at = inject_at
        inputs = [3, *widths[:-1]]
        inputs[inject_at] += 3
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 4, 2, padding=1) for i, o in zip(inputs, widths, strict=True)
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512 * 4 * 4, 1))

    def judge(
        self, candidate: Float[Tensor, "n 3 h w"], lq: Float[Tensor, "n 3 lh lw"] | None
    ) -> Float[Tensor, "n 1"]:
        """One logit a picture."""
        assert lq is not None, "a conditional discriminator needs the input"
        x = candidate
        for number, convolution in enumerate(self.convolutions):
            if number == self.inject_at:
                beside = F.interpolate(lq, size=x.shape[-2:], mode="bilinear", antialias=True)
                x = torch.cat([x, beside], dim=1)
            x = F.leaky_relu(convolution(x), 0.2)
        return self.head(x)


class PatchDiscriminator(PlainDiscriminator):
    """Judges overlapping 70×70 patches, fully convolutional.

    Source: P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    section 6.1.2; as the critic of DeblurGAN (O. Kupyn et al., CVPR 2018) with padding 2 and instance norm.
    """

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, padding=2), nn.LeakyReLU(0.2)]
        for inputs, outputs, stride in ((64, 128, 2), (128, 256, 2), (256, 512, 1)):
            layers += [
                nn.Conv2d(inputs, outputs, 4, stride, padding=2),
                nn.InstanceNorm2d(outputs),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, padding=2))


class UNetDiscriminator(Discriminator):
    """Judges every pixel: a U-Net with added shortcuts, and spectral norm on all but its two ends.

    Sees a crop as a whole at an eighth of its size, and details where they are, so that it can say of each
    place whether it looks real.

    Source: X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 3.3, after E. Schönfeld et al., "A U-Net Based
    Discriminator for Generative Adversarial Networks", CVPR 2020; T. Miyato et al., "Spectral Normalization
    for Generative Adversarial Networks", ICLR 2018.

    Args:
        width: channels at full size; they double with every halving.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        widths = (width, 2 * width, 4 * width, 8 * width)
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(_normed(i, o, 4, 2) for i, o in pairwise(widths))
        self.up = nn.ModuleList(_normed(i, o, 3, 1) for i, o in pairwise(reversed(widths)))
        self.last = nn.Sequential(
            _normed(width, width, 3, 1),
            nn.LeakyReLU(0.2),
            _normed(width, width, 3, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def judge(
        self, candidate: Float[Tensor, "n 3 h w"], lq: Float[Tensor, "n 3 lh lw"] | None
    ) -> Float[Tensor, "n 1 h w"]:
        """One logit a pixel."""
        levels = [F.leaky_relu(self.first(candidate), 0.2)]
        for convolution in self.down:
            levels.append(F.leaky_relu(convolution(levels[-1]), 0.2))
        x = levels.pop()
        for convolution in self.up:
            beside = levels.pop()
            x = F.interpolate(x, size=beside.shape[-2:], mode="bilinear")
            x = F.leaky_relu(convolution(x), 0.2) + beside
        return self.last(x)


def _normed(inputs: int, outputs: int, side: int, stride: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, side, stride, padding=1, bias=False))


def _eight_convolutions(after: Callable[[int], list[nn.Module]], *, bias: bool) -> list[nn.Module]:
    """3×3 convolutions, every other one with stride 2, each with what comes ``after``; no norm first."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1, bias=bias), nn.LeakyReLU(0.2)]
    channels = 64
    for width, stride in ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)):
        layers += [nn.Conv2d(channels, width, 3, stride, padding=1, bias=bias), *after(width)]
        channels = width
    return layers


def _dense_head(pool_px: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(pool_px),
        nn.Flatten(),
        nn.Linear(512 * pool_px**2, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, 1),
    )


DISCRIMINATORS: dict[str, type[Discriminator]] = {
    "srgan": SRGANDiscriminator,
    "conditional": ConditionalDiscriminator,
    "faces": FacesDiscriminator,
    "keras": KerasDiscriminator,
    "patch": PatchDiscriminator,
    "unet": UNetDiscriminator,
}
