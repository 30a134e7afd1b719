"""Blur of lenses and resizers by random kernels, and the ringing of over-sharpened pictures."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade import kernels
from relume.degrade.convolution import convolve


@dataclass(frozen=True)
class Blur:
    """Blur with a new random kernel for every picture.

    Attributes:
        side: smallest and largest side of a kernel in pixels, both odd; each odd number is equally likely.
        sigma: range of the standard deviation in pixels, in each of the two directions.
        anisotropic: chance that the two differ.
        generalised: chance of a generalised Gaussian.
        plateau: chance of a plateau; what remains are Gaussians.
        beta_generalised: range of a generalised Gaussian's exponent; half of them are below 1.
        beta_plateau: range of a plateau's exponent; half of them are below 1.
        sinc: chance of :class:`Ringing` with this side in place of all these.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 4.1.
    """

    side: tuple[int, int] = (7, 21)
    sigma: tuple[float, float] = (0.2, 3.0)
    anisotropic: float = 0.31
    generalised: float = 0.15
    plateau: float = 0.15
    beta_generalised: tuple[float, float] = (0.5, 4.0)
    beta_plateau: tuple[float, float] = (1.0, 2.0)
    sinc: float = 0.1

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size; edges go on as mirrors."""
        return convolve(image, self.draw_kernel(rng))

    def draw_kernel(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """A random kernel."""
        if rng.random() < self.sinc:
            return Ringing(self.side).draw_kernel(rng)
        side = _draw_side(self.side, rng)
        first = second = rng.uniform(*self.sigma)
        if rng.random() < self.anisotropic:
            second = rng.uniform(*self.sigma)
        angle, kind = rng.uniform(0, math.pi), rng.random()
        if kind < self.generalised:
            return kernels.bell(
                side, (first, second), angle, "generalised", _draw_beta(self.beta_generalised, rng)
            )
        if kind < self.generalised + self.plateau:
            return kernels.bell(side, (first, second), angle, "plateau", _draw_beta(self.beta_plateau, rng))
        return kernels.bell(side, (first, second), angle)


@dataclass(frozen=True)
class Ringing:
    """A circular sinc filter: ringing and overshoot at edges, as sharpening and strong JPEG leave them.

    Attributes:
        side: smallest and largest side of the kernel in pixels, both odd.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 3.2.2: small kernels cut off above π/3, those of
        13 pixels and more above π/5.
    """

    side: tuple[int, int] = (7, 21)

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size; edges go on as mirrors."""
        return convolve(image, self.draw_kernel(rng))

    def draw_kernel(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """A random kernel."""
        side = _draw_side(self.side, rng)
        return kernels.sinc(side, rng.uniform(math.pi / 3 if side < 13 else math.pi / 5, math.pi))


def _draw_side(sides: tuple[int, int], rng: np.random.Generator) -> int:
    return 2 * int(rng.integers(sides[0] // 2, sides[1] // 2 + 1)) + 1


def _draw_beta(betas: tuple[float, float], rng: np.random.Generator) -> float:
    """Half below 1 and half above, where the range reaches to both sides."""
    least, most = betas
    if not least < 1 < most:
        return rng.uniform(least, most)
    return rng.uniform(least, 1) if rng.random() < 0.5 else rng.uniform(1, most)
