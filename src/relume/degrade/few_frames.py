"""Motion blur as the mean of a few frames of a fast film has it, made from one still picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade.motion import rasterize

JERK = 0.35
"""Largest deviation of the path's cubic part, relative to the others: a speed that changes twice."""

EDGE_PX = 3.0
"""How softly an object's motion goes over into that of its surroundings."""


@dataclass(frozen=True)
class FewFrames:
    """The mean of 7 to 13 moments of one motion, of which the middle one is the target.

    Blur of this kind is not a smooth streak: every moment leaves an edge of its own. The camera moves along a
    line, turns back or slows down; the farther it goes, the farther apart the moments lie. Over the picture
    the motion changes a little, as it does when a camera turns, and an object may move in its own way.

    Attributes:
        num_frames: smallest and largest number of moments, both odd.
        extent_px: shortest and longest way of the camera; as many below as above the geometric mean.
        bend: how much of the motion may be acceleration; drawn between 0 (a straight line at constant speed)
            and this, mostly near 0. At 1 the camera may come back to where it was.
        spread: standard deviation of the motion's change from one side of the picture to the other, relative
            to the motion.
        objects: chance of an object that moves in its own way.

    Source:
        S. Nah et al., "Deep multi-scale convolutional neural network for dynamic scene deblurring", 2017,
        section 2, for the mean of frames; the motions are such as kernels fitted to its training pairs have.
    """

    num_frames: tuple[int, int] = (7, 13)
    extent_px: tuple[float, float] = (1.0, 48.0)
    bend: float = 1.0
    spread: float = 0.2
    objects: float = 0.3

    def __post_init__(self):
        least, most = self.num_frames
        assert least % 2 == most % 2 == 1 <= least <= most

    @property
    def margin_px(self) -> int:
        """Largest radius of a kernel."""
        return math.ceil(self.extent_px[1]) + 1

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size, blurred; edges go on as mirrors."""
        num_frames = 2 * int(rng.integers(self.num_frames[0] // 2, self.num_frames[1] // 2 + 1)) + 1
        path = self.draw_path(num_frames, rng)
        change = self.spread * complex(*rng.standard_normal(2)) / 2
        height, width, _ = image.shape
        blurred = mean_along(image, path * (1 - change))
        blurred += _ramp(height, width, rng) * (mean_along(image, path * (1 + change)) - blurred)
        if rng.random() < self.objects:
            moved = mean_along(image, self.draw_path(num_frames, rng))
            blurred += _ellipse(height, width, rng) * (moved - blurred)
        return blurred

    def draw_path(self, num_frames: int, rng: np.random.Generator) -> NDArray[np.complex128]:
        """Where the camera is at each moment: x + iy in pixels, 0 at the middle one."""
        least, most = np.log(self.extent_px)
        time = np.linspace(-1, 1, num_frames)
        angle = self.bend * math.pi / 2 * rng.random() ** 3
        linear, turned = np.exp(2j * math.pi * rng.random(2))
        jerk = JERK * self.bend * rng.random() * complex(*rng.standard_normal(2))
        path = math.cos(angle) * linear * time + math.sin(angle) * turned * time**2 + jerk * time**3
        way = np.abs(np.diff(path)).sum()
        path *= math.exp(rng.uniform(least, most)) / way
        return path * min(1.0, self.extent_px[1] / max(1e-9, np.abs(path).max()))


def mean_along(image: NDArray[np.float32], path: NDArray[np.complex128]) -> NDArray[np.float32]:
    """The mean of the picture's copies moved along a path; few of them, so that sums are quicker than FFTs.

    Args:
        image: HWC in [0, 1]; beyond its edges it goes on as its mirror.
        path: x + iy in pixels.

    Returns:
        HWC in [0, 1] of the same size.
    """
    height, width, _ = image.shape
    kernel = rasterize(path, around=0)
    radius = len(kernel) // 2
    padded = np.pad(image, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    total, moved = np.zeros_like(image), np.empty_like(image)
    for row, column in np.argwhere(kernel):
        window = padded[2 * radius - row :, 2 * radius - column :][:height, :width]
        np.multiply(window, kernel[row, column], out=moved)
        np.add(total, moved, out=total)
    return total


def _ramp(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """From 0 on one side of the picture to 1 on the other, in a random direction; H×W×1."""
    x, y = _grid(height, width)
    angle = 2 * math.pi * rng.random()
    along = math.cos(angle) * x + math.sin(angle) * y
    return (along / math.sqrt(8) + 0.5).astype(np.float32)[..., None]


def _ellipse(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """1 inside a random ellipse, 0 outside, with a soft edge; H×W×1."""
    x, y = _grid(height, width)
    z = (x - rng.uniform(-1, 1) + 1j * (y - rng.uniform(-1, 1))) * np.exp(2j * math.pi * rng.random())
    axes = rng.uniform(0.2, 1.0, 2)
    inside = 1 - np.hypot(z.real / axes[0], z.imag / axes[1])
    edge = 2 * EDGE_PX / (axes.min() * min(height, width))
    return (inside / edge + 0.5).clip(0, 1).astype(np.float32)[..., None]


def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows from −1 to 1."""
    return np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
