"""Two ways against the checkerboard of layers that enlarge.

:func:`start_even` only chooses the weights that they start from: it costs nothing, and training may bring
some back. :class:`SmoothConv2d` and :class:`SmoothConvTranspose2d` change the layer, which then has more to
compute: no weights at all can paint one on a flat surface.
"""

from collections.abc import Iterable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from relume.archs.base import Mergeable


class SmoothConv2d(nn.Conv2d, Mergeable):
    """A convolution before a pixel shuffle, with the box filter that would follow the shuffle in its kernel.

    The sub-pixels of a flat input are results of different kernels, hence a pattern. The mean over a box of
    ``factor × factor`` has one of each, wherever it lies. As both are linear, one convolution with a kernel
    that is larger by one does the same. Parameters are those of the small kernel, as without the box.

    A box of even side moves the picture by half a pixel; ``ahead`` says to which side.

    Source: Y. Sugawara, S. Shiota, H. Kiya, "Checkerboard artifacts free convolutional neural networks",
    APSIPA Transactions on Signal and Information Processing 8, 2019: a zero-order hold after what enlarges
    and before the nonlinearity.

    Args:
        inputs: channels of the input.
        outputs: channels of the result, those before the shuffle.
        side: odd side of the small kernel.
        factor: of the pixel shuffle that follows.
        ahead: whether the box lies right of and below a pixel rather than left of and above it.
        bias: whether there is one.
    """

    def __init__(
        self, inputs: int, outputs: int, side: int, factor: int, *, ahead: bool = False, bias: bool = True
    ):
        super().__init__(inputs, outputs, side, padding=side // 2, bias=bias)
        self.factor, self.ahead, self.merged = factor, ahead, False

    def forward(self, x: Float[Tensor, "n i h w"], blocks: bool = False) -> Float[Tensor, "n o h w"]:
        """Convolve.

        Args:
            x: the input.
            blocks: whether all channels of the first sub-pixel come first, then those of the second, and so
                on, for :func:`shuffle_blocks`, rather than all sub-pixels of the first channel.
        """
        before, after = _box(self.factor, self.ahead)
        around = (int(before > 0), int(after > 0)) * 2
        weight, bias = (self.weight, self.bias) if self.merged else self._with_box()
        if blocks:
            weight = self._in_blocks(weight)
            bias = None if bias is None else self._in_blocks(bias)
        return F.conv2d(F.pad(x, around), weight, bias, padding=self.padding)

    def _in_blocks(self, values: Tensor) -> Tensor:
        return values.unflatten(0, (-1, self.factor**2)).transpose(0, 1).flatten(0, 1)

    def merge(self) -> None:
        """Keep the large kernel instead of the small one."""
        weight, bias = self._with_box()
        self.weight = nn.Parameter(weight.detach(), requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias.detach(), requires_grad=False)
        self.merged = True

    def _with_box(self) -> tuple[Tensor, Tensor | None]:
        """Kernel and bias: what one input pixel does to the enlarged picture, filtered there."""
        factor = self.factor
        before, after = _box(factor, self.ahead)
        spread = F.pixel_shuffle(self.weight.transpose(0, 1).flip(2, 3), factor)
        first, last = before + factor * (after > 0), after + factor * (before > 0)
        smooth = F.avg_pool2d(F.pad(spread, (first, last) * 2), factor, stride=1)
        weight = F.pixel_unshuffle(smooth, factor).flip(2, 3).transpose(0, 1)
        if self.bias is None:
            return weight, None
        return weight, self.bias.view(-1, factor**2).mean(1).repeat_interleave(factor**2)


def shuffle_blocks(x: Float[Tensor, "n ffc h w"], factor: int) -> Float[Tensor, "n c fh fw"]:
    """A pixel shuffle of channels sorted by sub-pixel first; the result in ``torch.channels_last``.

    Where channels lie innermost, it moves whole rows of them, several times as fast on a processor as
    ``torch.nn.functional.pixel_shuffle``, for which every number goes to another place.
    """
    pixels = x.permute(0, 2, 3, 1).unflatten(3, (factor, factor, -1))
    return pixels.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def before_shuffle(inputs: int, outputs: int, factor: int, *, smooth: bool, ahead: bool) -> nn.Conv2d:
    """The 3×3 convolution before a pixel shuffle, with or without a box filter.

    Args:
        inputs: channels of the input.
        outputs: channels of the result, those before the shuffle.
        factor: of the shuffle.
        smooth: with the filter.
        ahead: where the box lies. If this alternates, several of them move the picture by less than a pixel.
    """
    if smooth:
        return SmoothConv2d(inputs, outputs, 3, factor, ahead=ahead)
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class SmoothConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that enlarges, and a box filter of its stride behind it.

    As :class:`SmoothConv2d`: the taps that fall on a pixel differ from one pixel to the next, but not their
    mean over a box. Here the filter is a layer of its own, as nothing is rewritten behind it.

    Args:
        inputs: channels of the input.
        outputs: channels of the result.
        side: of the kernel; exceeds the stride by an even number, at least 2.
        stride: output pixels per input pixel and side.
        ahead: whether the box lies right of and below a pixel rather than left of and above it.
        bias: whether there is one.
    """

    def __init__(
        self, inputs: int, outputs: int, side: int, stride: int, *, ahead: bool = False, bias: bool = True
    ):
        padding, odd = divmod(side - stride, 2)
        assert padding >= 1
        assert not odd
        super().__init__(inputs, outputs, side, stride, padding=padding, bias=bias)
        self.box_px = _box(stride, ahead)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o sh sw"]:
        before, after = self.box_px
        padding = int(self.padding[0]) - 1  # one pixel more on each side, for the box to see
        wide = F.conv_transpose2d(x, self.weight, self.bias, self.stride, padding)
        first, rows, columns = 1 - before, wide.shape[-2] - 1 + after, wide.shape[-1] - 1 + after
        return F.avg_pool2d(wide[..., first:rows, first:columns], self.stride, stride=1)


def _box(factor: int, ahead: bool) -> tuple[int, int]:
    """How many pixels before and after its own a box of this side has."""
    return ((factor - 1) // 2, factor // 2) if ahead else (factor // 2, (factor - 1) // 2)


def shuffle_reach(scale: int, factors: Iterable[int], *, last_px: int, smooth: bool = False) -> int:
    """Radius, in input pixels, of 3×3 convolutions each before a pixel shuffle, and one convolution more.

    Args:
        scale: product of the factors.
        factors: of the shuffles, in their order.
        last_px: reach of the last convolution, in output pixels.
        smooth: whether the convolutions are :class:`SmoothConv2d`, every second one with its box ahead.
    """
    first, last = -last_px, scale - 1 + last_px
    for index, factor in reversed(list(enumerate(factors))):
        before, after = _box(factor, index % 2 == 1) if smooth else (0, 0)
        first, last = (first - before) // factor - 1, (last + after) // factor + 1
    return max(-first, last)


@torch.no_grad()
def start_even(network: nn.Module) -> None:
    """Change fresh weights, in place: every layer that enlarges starts as resizing and a plain convolution.

    Sub-pixel convolutions: all sub-pixels of a channel start with the same kernel (ICNR), so that they repeat
    pixels. Transposed convolutions with a stride: the kernel is that of repeating pixels and then convolving,
    whose taps, however they fall on the input, sum up to the same for every output pixel; its spread stays
    that of the kernel it replaces. Both learn from there like any other.

    Sources: A. Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017, section 3.1; A. Odena
    et al., "Deconvolution and Checkerboard Artifacts", Distill 2016, for resize-convolution.

    Args:
        network: sub-pixel convolutions are found where a pixel shuffle follows a convolution in a sequence.
    """
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose2d) and layer.stride[0] > 1:
            layer.weight.copy_(_repeating(layer.weight, layer.stride[0]))
        if isinstance(layer, nn.Sequential):
            for conv, shuffle in pairwise(layer):
                if isinstance(shuffle, nn.PixelShuffle):
                    _share_sub_pixels(conv, shuffle.upscale_factor**2)


def _share_sub_pixels(conv: nn.Module, count: int) -> None:
    outputs_at = 1 if isinstance(conv, nn.ConvTranspose2d) else 0
    conv.weight.copy_(_first_of_each(conv.weight, count, outputs_at))
    if conv.bias is not None:
        conv.bias.copy_(_first_of_each(conv.bias, count, 0))


def _first_of_each(values: Tensor, count: int, axis: int) -> Tensor:
    """Of every ``count`` neighbours along an axis the first, in the place of all."""
    first = torch.arange(0, values.shape[axis], count, device=values.device)
    return values.index_select(axis, first).repeat_interleave(count, dim=axis)


def _repeating(weight: Tensor, stride: int) -> Tensor:
    """Kernels of the same size and spread that repeat pixels and then convolve; I×O×k×k."""
    small = weight[..., : 1 - stride, : 1 - stride]
    box = weight.new_ones(1, 1, stride, stride)
    side = small.shape[-1]
    wide = F.conv2d(small.reshape(-1, 1, side, side), box, padding=stride - 1).reshape(weight.shape)
    return wide * (weight.std() / wide.std())
