"""Compact networks for ordinary CPUs: plain 3×3 convolutions at low resolution, re-parameterised in training.

Sources: X. Zhang et al., "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile Devices"
(ECBSR), ACM MM 2021; K. Bhardwaj et al., "Collapsible Linear Blocks for Super-Efficient Super Resolution"
(SESR), MLSys 2022, whose collapsed training this uses; Z. Du et al., "Anchor-based Plain Net for Mobile Image
Super-Resolution" (ABPN), CVPRW 2021, for the nearest-neighbour skip.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from relume.archs.base import Mergeable, Network

SIZES: dict[str, tuple[int, int]] = {"tiny": (24, 5), "small": (32, 9), "medium": (64, 13)}
"""Size name -> channels, number of body convolutions."""


class Compact(Network):
    """Head, body of re-parameterised convolutions with PReLU, tail to ``3·scale²`` channels, pixel shuffle.

    The network predicts what is missing from the input enlarged by pixel repetition.

    Args:
        scale: 2, 3 or 4.
        size: ``tiny`` (about 40 k parameters when merged), ``small`` (100 k) or ``medium`` (500 k).
    """

    def __init__(self, scale: int = 4, size: str = "small"):
        super().__init__()
        self.scale = scale
        width, num_body = SIZES[size]
        self.halo_px = num_body + 2
        self.head = MultiBranchConv(3, width)
        self.body = nn.ModuleList(MultiBranchConv(width, width) for _ in range(num_body))
        self.slopes = nn.ModuleList(nn.PReLU(width) for _ in range(num_body + 1))
        self.tail = MultiBranchConv(width, 3 * scale**2)
        self.skip = Repetition(3, scale**2)
        for parameter in self.tail.parameters():
            parameter.data.mul_(0.1)  # start near the enlarged input

    def restore(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """[0, 1] -> about [0, 1]."""
        x = self.head(lq)
        for conv, slope in zip(self.body, self.slopes[:-1], strict=True):
            x = conv(slope(x))
        return F.pixel_shuffle(self.tail(self.slopes[-1](x)) + self.skip(lq), self.scale)


class Repetition(Mergeable):
    """Every channel several times in a row: behind a pixel shuffle, every pixel repeated.

    For use it is a 1×1 convolution, into which runtimes fuse the sum that follows.

    Args:
        channels: channels of the input.
        times: how often each is repeated.
    """

    def __init__(self, channels: int, times: int):
        super().__init__()
        self.channels, self.times = channels, times
        self.register_buffer("kernel", None, persistent=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n tc h w"]:
        if self.kernel is None:
            return x.repeat_interleave(self.times, dim=1)
        return F.conv2d(x, self.kernel)

    def merge(self) -> None:
        """Become a convolution."""
        self.kernel = torch.eye(self.channels).repeat_interleave(self.times, dim=0)[:, :, None, None]


class MultiBranchConv(Mergeable):
    """A 3×3 convolution whose kernel is, in training, the sum of several linear branches.

    The branches are a plain 3×3 kernel; a 1×1 expansion, 3×3, 1×1 contraction; and the identity where input
    and output have equal channels. As all are linear and only the sum has a bias, they are summed as kernels
    and applied as one convolution: training costs little more than that of the merged network, and merging is
    exact, at the border too.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        expansion: hidden channels of the second branch, as a multiple of the larger of the two.
    """

    def __init__(self, in_channels: int, out_channels: int, expansion: int = 2):
        super().__init__()
        hidden = expansion * max(in_channels, out_channels)
        plain = nn.Conv2d(in_channels, out_channels, 3)
        self.kernel, self.bias = plain.weight, plain.bias
        self.expand = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(hidden, in_channels, 1, 1), a=5**0.5))
        self.middle = nn.Parameter(0.1 * torch.randn(hidden, 1, 3, 3))
        self.contract = nn.Parameter(
            nn.init.kaiming_uniform_(torch.empty(out_channels, hidden, 1, 1), a=5**0.5)
        )
        self.identity = in_channels == out_channels

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o h w"]:
        return F.conv2d(x, self.merged_kernel(), self.bias, padding=1)

    def merged_kernel(self) -> Float[Tensor, "o i 3 3"]:
        """The sum of the branches as one 3×3 kernel."""
        if self.expand is None:
            return self.kernel
        spatial = self.expand.flatten(1)[:, :, None] * self.middle.flatten(1)[:, None, :]
        kernel = self.kernel + torch.einsum("oh,hik->oik", self.contract.flatten(1), spatial).unflatten(
            2, (3, 3)
        )
        if self.identity:
            unit = torch.eye(kernel.shape[0], dtype=kernel.dtype, device=kernel.device)
            kernel = kernel + F.pad(unit[:, :, None, None], (1, 1, 1, 1))
        return kernel

    def merge(self) -> None:
        """Keep the sum of the branches as the only kernel."""
        self.kernel = nn.Parameter(self.merged_kernel().detach(), requires_grad=False)
        self.expand = self.middle = self.contract = None
        self.identity = False
