"""Whether a restored picture still is the picture that was given, apart from its detail."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize
from relume.metrics.protocol import to_uint8
from relume.metrics.psnr import psnr


def consistency(sr: NDArray[Any], lq: NDArray[Any], scale: int) -> float:
    """PSNR in dB of the result, made small again, against the input; over R, G and B, nothing shaved.

    Whatever detail a network invents, a result that is true to its input gives that input back when it is
    shrunk as the input was: by MATLAB's antialiased bicubic, rounded to 8 bits.

    Args:
        sr: HWC RGB, uint8 or floating point in [0, 1].
        lq: the input, ``scale`` times smaller.
        scale: output pixels per input pixel and side.

    Returns:
        Higher is better; infinite where the input comes back exactly.

    Source:
        A. Lugmayr et al., "NTIRE 2021 learning the super-resolution space challenge", 2021, section 3.3.
    """
    return psnr(_shrunk(sr, scale), to_uint8(lq))


def colour_drift(sr: NDArray[Any], lq: NDArray[Any], scale: int) -> tuple[float, float, float]:
    """Mean of (result made small again − input) in R, G and B, in levels of 255; zero is best.

    Args:
        sr: HWC RGB, uint8 or floating point in [0, 1].
        lq: the input, ``scale`` times smaller.
        scale: output pixels per input pixel and side; at 1 nothing is shrunk.
    """
    difference = np.subtract(_shrunk(sr, scale), to_uint8(lq), dtype=np.float64)
    red, green, blue = difference.mean(axis=(0, 1))
    return float(red), float(green), float(blue)


def _shrunk(sr: NDArray[Any], scale: int) -> NDArray[np.uint8]:
    if scale == 1:
        return to_uint8(sr)
    return to_uint8(imresize(to_uint8(sr) / np.float32(255), scale=1 / scale))
