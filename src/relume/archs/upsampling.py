"""How layers that enlarge start: so that fresh ones leave no checkerboard."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
