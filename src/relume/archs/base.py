"""What every restoration network declares about itself."""

import hashlib
from copy import deepcopy
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Network(nn.Module):
    """A network that restores pictures: RGB in [0, 1] in, RGB in about [0, 1] out.

    Subclasses set the attributes below and implement :meth:`restore`, which works in the network's own
    value range; :meth:`forward` converts on the way in and out, and is the only place that does.

    Attributes:
        scale: output pixels per input pixel and side.
        halo_px: radius of the receptive field in input pixels.
        size_multiple: input sides must be multiples of this.
        value_range: the range in which ``restore`` takes and gives pixels.
        global_stats: whether statistics over the whole picture enter the result.
    """

    scale: int
    halo_px: int
    size_multiple: int = 1
    value_range: tuple[float, float] = (0.0, 1.0)
    global_stats: bool = False

    def forward(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Restore a batch; input and output in [0, 1], the output not clipped."""
        return self.decode(self.restore(self.encode(lq)))

    def encode(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """[0, 1] -> the network's input range."""
        low, high = self.value_range
        return lq if (low, high) == (0.0, 1.0) else lq * (high - low) + low

    def decode(self, sr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """The network's output range -> [0, 1]."""
        low, high = self.value_range
        return sr if (low, high) == (0.0, 1.0) else (sr - low) / (high - low)

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """The network proper, in its own value range."""
        raise NotImplementedError

    def deployed(self) -> Self:
        """A copy for inference, in evaluation mode, with every layer in the form that is fastest to use."""
        network = deepcopy(self).eval().requires_grad_(False)
        for module in list(network.modules()):
            if isinstance(module, Mergeable):
                module.merge()
        return network


class Mergeable(nn.Module):
    """A layer or network that has one form for training and another, which computes the same, for use."""

    def merge(self) -> None:
        """Take on the form for use, in place."""
        raise NotImplementedError


class PReLUBlock(nn.Module):
    """A residual block without norm: 3×3 convolution, PReLU, 3×3 convolution, and the input added."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.body(x)


def num_parameters(module: nn.Module) -> int:
    """Number of learned values."""
    return sum(p.numel() for p in module.parameters())


def fewest_parameters(network: Network) -> int:
    """Learned values as papers count them: merging takes branches away, rewriting for speed adds zeros."""
    return min(num_parameters(network), num_parameters(network.deployed()))


def weights_sha256(tensors: dict[str, Tensor]) -> str:
    """Hash over names, shapes and bytes of weights, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def nearest(lq: Float[Tensor, "n c h w"], scale: int) -> Float[Tensor, "n c sh sw"]:
    """Repeat every pixel ``scale × scale`` times."""
    return torch.nn.functional.interpolate(lq, scale_factor=scale, mode="nearest")
