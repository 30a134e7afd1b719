"""Layers rewritten: other layers that compute the same, faster."""

from collections.abc import Iterable
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from relume.archs.base import Mergeable


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
    kernel = kernel_before_shuffle(conv.weight, factor)
    outputs, inputs, side, _ = kernel.shape
    assert conv.padding == (conv.kernel_size[0] // 2,) * 2
    rewritten = nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=conv.bias is not None)
    rewritten.weight = nn.Parameter(kernel, requires_grad=False)
    if conv.bias is not None:
        rewritten.bias = nn.Parameter(conv.bias.repeat_interleave(factor**2), requires_grad=False)
    return rewritten.eval()


def kernel_before_shuffle(
    weight: Float[Tensor, "o i k k"], factor: int
) -> Float[Tensor, "factor*factor*o factor*factor*i s s"]:
    """The kernel that does before a pixel shuffle what another one of odd side does behind it.

    Pixel ``factor·y + phase`` becomes channel ``phase`` of pixel ``y``, in the input and in the output. Seen
    from a phase of the output, the kernel is moved by it; its taps then fall on phases of the input.
    """
    reach = weight.shape[-1] // 2
    side = 2 * -(-reach // factor) + 1
    before = factor * (side // 2) - reach
    wide = F.pad(weight, (before, factor * side - weight.shape[-1] - before) * 2)
    moved = [wide.roll(phase, dims=(2, 3)) for phase in product(range(factor), repeat=2)]
    return torch.stack([F.pixel_unshuffle(kernel, factor) for kernel in moved], dim=1).flatten(0, 1)


class DeferredShuffle(nn.PixelShuffle):
    """The place of a pixel shuffle that :class:`ConvAndShuffle` does."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x


class ConvAndShuffle(nn.Conv2d, Mergeable):
    """A convolution behind a pixel shuffle, done before it; see :func:`shuffled_last`.

    Its parameters are those of the convolution behind. On CPUs this form trains faster, too: few output
    channels leave matrix units idle, and shuffling many channels takes about as long as convolving them.

    Args:
        inputs: channels behind the shuffle.
        outputs: channels of the result.
        side: odd side of the kernel.
        factor: of the pixel shuffle.
    """

    def __init__(self, inputs: int, outputs: int, side: int, factor: int):
        super().__init__(inputs, outputs, side, padding=side // 2)
        self.factor, self.merged = factor, False

    def forward(self, x: Float[Tensor, "n ffi h w"]) -> Float[Tensor, "n o fh fw"]:
        weight, bias = (self.weight, self.bias) if self.merged else self._before_shuffle()
        return F.pixel_shuffle(F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2), self.factor)

    def merge(self) -> None:
        """Keep the kernel that is applied instead of the one that was learned."""
        weight, bias = self._before_shuffle()
        self.weight = nn.Parameter(weight.detach(), requires_grad=False)
        self.bias = nn.Parameter(bias.detach(), requires_grad=False)
        self.merged = True

    def _before_shuffle(self) -> tuple[Tensor, Tensor]:
        assert self.bias is not None
        return kernel_before_shuffle(self.weight, self.factor), self.bias.repeat_interleave(self.factor**2)


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
