"""Named protocols: everything that must be the same before two scores may be compared.

A score without its protocol means little: the choice of channel, border, rounding and SSIM variant moves the
same picture by tenths of a decibel and hundredths of SSIM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relume.errors import UsageError
from relume.metrics.luma import luma
from relume.metrics.psnr import psnr
from relume.metrics.ssim import ssim_daala, ssim_matlab, ssim_skimage7

SsimVariant = Literal["matlab", "skimage7", "daala"]

SSIM_VARIANTS: dict[SsimVariant, Callable[[NDArray[Any], NDArray[Any]], float]] = {
    "matlab": ssim_matlab,
    "skimage7": ssim_skimage7,
    "daala": ssim_daala,
}
_LARGEST_FIXED_WINDOW_PX = 11


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a restored picture is compared with its target. PSNR's peak is 255 everywhere.

    Attributes:
        name: what it is called in tables.
        y_matrix: the matrix of the luma channel that is compared, or None to compare R, G and B.
        shave: pixels cut off each border first; ``scale`` cuts as many as the scale, none at scale 1.
        rounding: ``uint8`` rounds the compared channel to whole numbers, ``float`` leaves it as computed.
            Pictures are rounded to 8 bits in either case, as a user's file is.
        ssim: the SSIM variant, see :mod:`relume.metrics.ssim`; over RGB it is the mean of the channels.
        resizer: what makes low-resolution pictures, and the bicubic rows, from sharp ones.
    """

    name: str
    y_matrix: Literal["BT.601 studio"] | None
    shave: int | Literal["scale"]
    rounding: Literal["uint8", "float"]
    ssim: SsimVariant
    resizer: str = "MATLAB imresize: bicubic a=-0.5, antialiased, symmetric edges, then rounded to uint8"

    def shave_px(self, scale: int) -> int:
        """Pixels cut off each border at this scale."""
        if self.shave == "scale":
            return scale if scale > 1 else 0
        return self.shave

    def smallest_px(self, scale: int) -> int:
        """The shortest side of a target that can still be scored."""
        return 2 * self.shave_px(scale) + _LARGEST_FIXED_WINDOW_PX


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(name="matlab", y_matrix="BT.601 studio", shave="scale", rounding="uint8", ssim="matlab"),
        Protocol(name="skimage7", y_matrix="BT.601 studio", shave=4, rounding="float", ssim="skimage7"),
        Protocol(name="daala", y_matrix="BT.601 studio", shave=4, rounding="uint8", ssim="daala"),
        Protocol(name="rgb", y_matrix=None, shave=0, rounding="uint8", ssim="matlab"),
    )
}
"""``matlab``: published super-resolution tables. ``skimage7``: the common PyTorch tutorials. ``daala``: the
SRGAN paper. ``rgb``: all three channels of the whole picture, nothing shaved, as deblurring papers do."""


def find_protocol(name: str) -> Protocol:
    """The protocol of this name.

    Raises:
        UsageError: if there is none.
    """
    if name not in PROTOCOLS:
        raise UsageError("unknown protocol", got=name, allowed=PROTOCOLS)
    return PROTOCOLS[name]


def score(
    sr: NDArray[Any], hq: NDArray[Any], scale: int, protocol: Protocol | str = "matlab"
) -> tuple[float, float]:
    """PSNR in dB and SSIM of a restored picture against its target.

    Args:
        sr: HWC RGB, uint8, or floating point in [0, 1], which is clipped and rounded to 8 bits as in a file.
        hq: the target, of the same shape, uint8 or floating point; its shorter side is at least
            ``protocol.smallest_px(scale)``.
        scale: output pixels per input pixel and side; some protocols shave by it.
        protocol: a protocol or its name.

    Raises:
        UsageError: if there is no protocol of that name.
    """
    protocol = find_protocol(protocol) if isinstance(protocol, str) else protocol
    assert sr.shape == hq.shape
    assert min(hq.shape[:2]) >= protocol.smallest_px(scale)
    a, b = (_compared(picture, protocol, scale) for picture in (sr, hq))
    return psnr(a, b), SSIM_VARIANTS[protocol.ssim](a, b)


def to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Clip [0, 1] and round to 8 bits; uint8 passes unchanged."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.floor(pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _compared(picture: NDArray[Any], protocol: Protocol, scale: int) -> NDArray[np.float64]:
    values = to_uint8(picture).astype(np.float64)
    if protocol.y_matrix:
        values = luma(values / 255)
    if protocol.rounding == "uint8":
        values = np.round(values)
    shave = protocol.shave_px(scale)
    return values[shave : values.shape[0] - shave, shave : values.shape[1] - shave]
