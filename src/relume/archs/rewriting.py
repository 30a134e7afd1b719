"""Layers rewritten for use: other layers that compute the same, faster."""

from collections.abc import Iterable

from torch import nn


def shuffled_last(layers: Iterable[nn.Module]) -> nn.Sequential:
    """Move the last pixel shuffle behind the convolution that follows it.

    A convolution to three channels leaves most of a vector register empty, where pictures are largest.
    Before the shuffle it has ``3·factor²`` channels and a ``factor`` times smaller kernel.

    Args:
        layers: somewhere in them a pixel shuffle; behind it one convolution and any activations.

    Returns:
        Layers that compute the same to float rounding.
    """
    flat = [part for layer in layers for part in (layer if isinstance(layer, nn.Sequential) else [layer])]
    position = max(index for index, layer in enumerate(flat) if isinstance(layer, nn.PixelShuffle))
    factor = flat[position].upscale_factor
    behind = (_before_shuffle(layer, factor) for layer in flat[position + 1 :])
    return nn.Sequential(*flat[:position], *behind, nn.PixelShuffle(factor))


def _before_shuffle(layer: nn.Module, factor: int) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        return _convolution_before_shuffle(layer, factor)
    if isinstance(layer, nn.PReLU) and layer.num_parameters > 1:
        slopes = nn.PReLU(layer.num_parameters * factor**2)
        slopes.weight = nn.Parameter(layer.weight.repeat_interleave(factor**2), requires_grad=False)
        return slopes
    return layer


def _convolution_before_shuffle(conv: nn.Conv2d, factor: int) -> nn.Conv2d:
    """Pixel ``factor·y + phase`` becomes channel ``phase`` of pixel ``y``, in the input and in the output."""
    outputs, inputs, side, _ = conv.weight.shape
    reach = side // 2
    assert conv.kernel_size == (side, side)
    assert conv.padding == (reach, reach)
    low_reach = -(-reach // factor)
    kernel = conv.weight.new_zeros(outputs, factor, factor, inputs, factor, factor, *[2 * low_reach + 1] * 2)
    sources = [
        (phase, tap, *divmod(phase + tap - reach, factor)) for phase in range(factor) for tap in range(side)
    ]
    for to_row, row_tap, row, from_row in sources:
        for to_column, column_tap, column, from_column in sources:
            kernel[:, to_row, to_column, :, from_row, from_column, low_reach + row, low_reach + column] = (
                conv.weight[:, :, row_tap, column_tap]
            )
    rewritten = nn.Conv2d(
        inputs * factor**2,
        outputs * factor**2,
        2 * low_reach + 1,
        padding=low_reach,
        bias=conv.bias is not None,
    )
    rewritten.weight = nn.Parameter(kernel.reshape(rewritten.weight.shape), requires_grad=False)
    if conv.bias is not None:
        rewritten.bias = nn.Parameter(conv.bias.repeat_interleave(factor**2), requires_grad=False)
    return rewritten.eval()


def as_convolution(transposed: nn.ConvTranspose2d) -> nn.Conv2d:
    """A transposed convolution of stride 1 as the plain one that it is: runtimes have faster code for it."""
    inputs, outputs, side, _ = transposed.weight.shape
    assert transposed.stride == (1, 1)
    padding = side - 1 - int(transposed.padding[0])
    conv = nn.Conv2d(inputs, outputs, side, padding=padding, bias=transposed.bias is not None)
    kernel = transposed.weight.flip(2, 3).transpose(0, 1)
    conv.weight = nn.Parameter(kernel.contiguous(), requires_grad=False)
    if transposed.bias is not None:
        conv.bias = nn.Parameter(transposed.bias, requires_grad=False)
    return conv.eval()


def plain_convolutions(layers: nn.Module) -> None:
    """Replace, in place and at any depth, transposed convolutions of stride 1; see :func:`as_convolution`."""
    for name, layer in list(layers.named_modules()):
        if isinstance(layer, nn.ConvTranspose2d) and layer.stride == (1, 1):
            parent, _, child = name.rpartition(".")
            setattr(layers.get_submodule(parent), child, as_convolution(layer))
