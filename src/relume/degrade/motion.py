"""Motion blur as a shaking hand makes it: the picture smeared along a random camera trajectory."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade.convolution import convolve

INSTANTS = 2000
"""Instants of a full exposure in DeblurGAN's algorithm, to which the three forces belong."""

TREMOR, PULL, JERKS = 10.0, 0.7, 0.2
"""Largest forces at an instant and an anxiety of 1: standard deviation of the velocity's change, its change
per pixel from the start, chance of a jerk. DeblurGAN's, but for the tremor: its 0.7 bends no visible path."""

STEPS_PER_PX = 4
"""Our sampling of a path: fine enough for bilinear weights, far coarser than the instants."""


@dataclass(frozen=True)
class MotionBlur:
    """Convolution with a new random motion kernel for every picture, the same over the whole picture.

    The camera moves at constant speed. Each instant its velocity is turned by Gaussian tremor, by a pull back
    to where it started and, rarely, by a jerk that throws it about; the path, drawn on the pixel grid with
    bilinear weights, is the kernel. Kernels sum to 1 and have their centre of mass in the middle, so that
    brightness and place of the picture stay.

    Attributes:
        length_px: length of the path of a full exposure.
        exposure: smallest and largest part of the full exposure; drawn uniformly. The smaller, the sharper.
        anxiety: how much the hand shakes: tremor, pull and chance of jerks grow with it. Drawn uniformly from
            0 (a straight line) to this.

    Source:
        G. Boracchi and A. Foi, "Modeling the performance of image restoration from motion blur", 2012, for
        the trajectories; O. Kupyn et al., "DeblurGAN", 2018, section 4, for training with them.
    """

    length_px: float = 40.0
    exposure: tuple[float, float] = (0.05, 1.0)
    anxiety: float = 0.003

    @property
    def margin_px(self) -> int:
        """Largest radius of a kernel: no point of a path is farther from its mean than half its length."""
        return math.ceil(self.length_px * self.exposure[1] / 2) + 1

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size, blurred; edges go on as mirrors."""
        return convolve(image, self.draw_kernel(rng))

    def draw_kernel(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """A random kernel, square with an odd side, just large enough."""
        return rasterize(self.draw_path(rng))

    def draw_path(self, rng: np.random.Generator) -> NDArray[np.complex128]:
        """Where the camera is at equal times of a random exposure: x + iy in pixels."""
        full_steps = max(8, math.ceil(self.length_px * STEPS_PER_PX))
        instants = INSTANTS / full_steps
        anxiety = rng.uniform(0, self.anxiety)
        tremor = rng.uniform(0, TREMOR) * anxiety * math.sqrt(instants)
        pull = rng.uniform(0, PULL) * anxiety * instants
        jerks = rng.uniform(0, JERKS) * anxiety * instants
        num_steps = max(1, round(rng.uniform(*self.exposure) * full_steps))
        shocks = tremor * rng.standard_normal((num_steps, 2)).view(np.complex128)[:, 0]
        deflections = 2 * np.exp(1j * (math.pi + rng.uniform(-0.5, 0.5, num_steps)))
        jerked = rng.random(num_steps) < jerks
        direction = np.exp(2j * math.pi * rng.random())
        return _walk(direction, self.length_px / full_steps, pull, shocks, deflections * jerked)


def _walk(
    direction: complex,
    step_px: float,
    pull: float,
    shocks: NDArray[np.complex128],
    jerks: NDArray[np.complex128],
) -> NDArray[np.complex128]:
    """Positions after each step from 0; forces are relative to the speed, jerks also to the direction."""
    path: list[complex] = []
    position = 0j
    for shock, jerk in zip(shocks.tolist(), jerks.tolist(), strict=True):
        direction += jerk * direction + shock - pull * position
        direction /= abs(direction)
        position += step_px * direction
        path.append(position)
    return np.array(path)


def rasterize(path: NDArray[np.complex128], around: complex | None = None) -> NDArray[np.float32]:
    """The kernel of a path: its points on the pixel grid with bilinear weights.

    Args:
        path: positions x + iy in pixels, each of the same duration.
        around: which position is the kernel's middle; None: their mean, which keeps the picture in place.

    Returns:
        A square kernel with an odd side that sums to 1.
    """
    path = path - (path.mean() if around is None else around)
    radius = math.floor(max(np.abs(path.real).max(), np.abs(path.imag).max())) + 1
    side = 2 * radius + 1
    left, top = np.floor(path.real), np.floor(path.imag)
    right_part, low_part = path.real - left, path.imag - top
    corner = ((top + radius) * side + left + radius).astype(np.int64)
    kernel = np.zeros(side * side + side + 2)
    for offset, weights in (
        (0, (1 - low_part) * (1 - right_part)),
        (1, (1 - low_part) * right_part),
        (side, low_part * (1 - right_part)),
        (side + 1, low_part * right_part),
    ):
        kernel += np.bincount(corner + offset, weights, kernel.size)
    return (kernel[: side * side] / path.size).reshape(side, side).astype(np.float32)
