"""Noise of sensors and scanners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PHOTONS = 255
"""Photons that white stands for where photon noise has strength 1: one for each level of 8 bits."""


LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)
"""Shares of R, G and B in brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class Noise:
    """Gaussian noise, the same everywhere, or photon noise, which grows with brightness; in colour or grey.

    Photon noise is drawn from a normal distribution with a Poisson distribution's mean and variance, which is
    five times quicker and differs by its skewness in the darkest tones only.

    Attributes:
        gaussian: chance of Gaussian noise; what remains is photon noise.
        sigma: range of the Gaussian's standard deviation in levels of 255.
        strength: range of photon noise's strength: standard deviation relative to that of 255 photons.
        grey: chance of noise that is the same in all channels.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, sections 3.1.2 and 4.1.
    """

    gaussian: float = 0.5
    sigma: tuple[float, float] = (1.0, 30.0)
    strength: tuple[float, float] = (0.05, 3.0)
    grey: float = 0.4

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        is_gaussian, is_grey = rng.random() < self.gaussian, rng.random() < self.grey
        if is_gaussian:
            deviation = np.full((1, 1, 1), rng.uniform(*self.sigma) / 255, np.float32)
        else:
            light = image @ LUMA if is_grey else image
            deviation = np.sqrt(light / np.float32(PHOTONS)) * np.float32(rng.uniform(*self.strength))
        shape = (*image.shape[:2], 1 if is_grey else image.shape[2])
        noise = rng.standard_normal(shape, np.float32) * deviation
        return (image + noise).astype(np.float32, copy=False).clip(0, 1)
