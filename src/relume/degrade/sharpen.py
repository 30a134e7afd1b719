"""Unsharp masking, for targets that shall look crisp."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter


@dataclass(frozen=True)
class Sharpen:
    """Adds what blurring takes away, where it is more than a few levels.

    Attributes:
        amount: how much of the difference is added.
        radius_px: standard deviation of the blur.
        threshold: smallest difference, in levels of 255, so that noise and compression stay as they are.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 3.4, for training with sharpened targets.
    """

    amount: float = 0.5
    radius_px: float = 2.0
    threshold: int = 3

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """HWC RGB, sharpened."""
        mask = ImageFilter.UnsharpMask(self.radius_px, round(100 * self.amount), self.threshold)
        return np.asarray(Image.fromarray(pixels).filter(mask))
