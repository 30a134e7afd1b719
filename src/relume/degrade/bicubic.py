"""The benchmark's degradation: bicubic downsampling, nothing else."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import Edges, Intermediate, Kernel, imresize


@dataclass(frozen=True)
class Downsample:
    """Shrinking by a whole factor.

    Attributes:
        scale: the factor.
        kernel: resampling kernel, antialiased.
        edges: how the picture goes on beyond its border.
        intermediate: rounding after each pass; ``uint8`` as the published low-resolution files.
    """

    scale: int
    kernel: Kernel = "bicubic"
    edges: Edges = "symmetric"
    intermediate: Intermediate = "uint8"

    @property
    def margin_px(self) -> int:
        """How far outside a crop the result depends on the picture, in whole output pixels."""
        reach = {"bicubic": 2.0, "bilinear": 1.0, "box": 0.5, "area": 1.0}[self.kernel] * self.scale
        return math.ceil(reach / self.scale) * self.scale

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC, sides divided by ``scale`` (which must divide them)."""
        return imresize(
            image,
            scale=1 / self.scale,
            kernel=self.kernel,
            edges=self.edges,
            intermediate=self.intermediate,
        )
