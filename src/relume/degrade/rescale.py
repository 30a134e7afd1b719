"""Resizing by a random factor with a random kernel, as pictures are that wander from program to program."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize

NamedKernel = Literal["area", "bilinear", "bicubic"]
DEFAULT_KERNELS: tuple[NamedKernel, ...] = ("area", "bilinear", "bicubic")


@dataclass(frozen=True)
class Rescale:
    """Making a picture smaller, larger, or leaving its size.

    Attributes:
        up: chance of enlarging.
        down: chance of shrinking.
        factors: smallest and largest factor for the sides; drawn uniformly from the part of this range that
            is above 1, or below.
        kernels: each equally likely.
        antialias: chance that bilinear and bicubic widen their kernel where they shrink, as image editors do;
            otherwise they alias, as computer vision libraries do. Area never aliases.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 4.1.
    """

    up: float = 0.2
    down: float = 0.7
    factors: tuple[float, float] = (0.15, 1.5)
    kernels: tuple[NamedKernel, ...] = DEFAULT_KERNELS
    antialias: float = 0.0

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of another size, at least 1×1."""
        factor = self.draw_factor(rng)
        if factor == 1:
            return image
        height, width = (max(1, round(side * factor)) for side in image.shape[:2])
        return draw_resized(image, (height, width), self.kernels, self.antialias, rng)

    def draw_factor(self, rng: np.random.Generator) -> float:
        """A random factor for the sides."""
        direction, (least, most) = rng.random(), self.factors
        if direction < self.up:
            return rng.uniform(1, most)
        return rng.uniform(least, 1) if direction < self.up + self.down else 1.0


def draw_resized(
    image: NDArray[np.float32],
    size: tuple[int, int],
    kernels: tuple[NamedKernel, ...],
    antialias: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Resize with a random kernel: the corners of the picture become the corners of the result.

    Args:
        image: HWC in [0, 1].
        size: height and width of the result.
        kernels: each equally likely.
        antialias: chance of widening the kernel where it shrinks.
        rng: decides.
    """
    kernel = kernels[int(rng.integers(len(kernels)))]
    widened = bool(rng.random() < antialias)
    resized = imresize(image, height=size[0], width=size[1], kernel=kernel, antialias=widened)
    return resized.clip(0, 1)
