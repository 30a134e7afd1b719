"""Convolution of pictures with small kernels."""

import numpy as np
from numpy.typing import NDArray


def convolve(image: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur every channel with a kernel, by FFT.

    Args:
        image: HWC in [0, 1]; beyond its edges it goes on as its mirror.
        kernel: square with an odd side, sums to 1.

    Returns:
        HWC in [0, 1] of the same size.
    """
    height, width, _ = image.shape
    radius = len(kernel) // 2
    shape = (_quick_length(height + 2 * radius), _quick_length(width + 2 * radius))
    padded = np.pad(image.transpose(2, 0, 1), ((0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    spectrum = np.fft.rfft2(padded, shape) * np.fft.rfft2(kernel, shape)
    blurred = np.fft.irfft2(spectrum, shape)[:, 2 * radius :, 2 * radius :][:, :height, :width]
    return np.ascontiguousarray(blurred.clip(0, 1).transpose(1, 2, 0), dtype=np.float32)


def _quick_length(least: int) -> int:
    """The smallest length from ``least`` on that has no prime factor above 5: FFTs of others are slow."""
    return next(n for n in range(least, 2 * least + 1) if 30**16 % n == 0)
