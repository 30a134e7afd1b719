"""What time does to film: grain, flicker, scratches and dust."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize


@dataclass(frozen=True)
class Grain:
    """Film grain: noise in clumps, strongest in middle tones, without effect on black and white.

    Attributes:
        strength: range of its standard deviation in middle tones, in levels of 255.
        size_px: range of the clumps' size; 1 is white noise.
        colour: chance that the three layers have grain of their own, as colour film; else it is grey.

    Source:
        A. Newson et al., "A Stochastic Film Grain Model for Resolution-Independent Rendering", 2017, whose
        variance, that of covering with opaque grains, is proportional to light · (1 − light).
    """

    strength: tuple[float, float] = (2.0, 14.0)
    size_px: tuple[float, float] = (1.0, 2.5)
    colour: float = 0.3

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        height, width, channels = image.shape
        size, layers = rng.uniform(*self.size_px), channels if rng.random() < self.colour else 1
        coarse = (max(1, round(height / size)), max(1, round(width / size)), layers)
        grain = imresize(rng.standard_normal(coarse, np.float32), height=height, width=width)
        grain *= rng.uniform(*self.strength) / 255 / max(float(grain.std()), 1e-6)
        light = image.mean(axis=2, keepdims=True)
        return (image + 2 * np.sqrt(light * (1 - light)) * grain).clip(0, 1)


@dataclass(frozen=True)
class Flicker:
    """A frame that was exposed or developed a little brighter or darker, not evenly.

    Attributes:
        gain: largest deviation of the brightness of one side from 1; opposite sides differ in their own way.
    """

    gain: float = 0.06

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        top, bottom, left, right = 1 + rng.uniform(-self.gain, self.gain, 4)
        rows = np.linspace(top, bottom, image.shape[0], dtype=np.float32)
        columns = np.linspace(left, right, image.shape[1], dtype=np.float32)
        return (image * (rows[:, None, None] + columns[:, None]) / 2).clip(0, 1)


@dataclass(frozen=True)
class Scratches:
    """Long thin lines along the film's run, bright where the emulsion is gone, dark where dirt is in them.

    Attributes:
        count: smallest and largest number in a picture.
        width_px: range of their width.
        opacity: range of how much they hide.
        slant: largest horizontal change per row.
    """

    count: tuple[int, int] = (1, 3)
    width_px: tuple[float, float] = (0.6, 2.0)
    opacity: tuple[float, float] = (0.2, 0.8)
    slant: float = 0.02

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        height, width = image.shape[:2]
        rows = np.arange(height)
        for _ in range(int(rng.integers(self.count[0], self.count[1] + 1))):
            middle = rng.uniform(0, width) + rng.uniform(-self.slant, self.slant) * (rows - height / 2)
            middle += np.cumsum(rng.normal(0, 0.05, height))
            first, last = np.sort(rng.uniform(-0.5, 1.5, 2)) * height
            distance = np.abs(np.arange(width) - middle[:, None])
            cover = (rng.uniform(*self.width_px) / 2 + 0.5 - distance).clip(0, 1)
            cover *= rng.uniform(*self.opacity) * ((rows >= first) & (rows <= last))[:, None]
            image = _covered(image, cover, _draw_level(rng))
        return image


@dataclass(frozen=True)
class Dust:
    """Specks and hairs, bright on prints from dusty negatives, dark on dusty prints.

    Attributes:
        density: range of their number in a picture of 256×256.
        radius_px: range of a speck's radius.
        hairs: chance that it is a hair, thin and bent, instead of a speck.
        length_px: range of a hair's length.
        opacity: range of how much they hide.
    """

    density: tuple[float, float] = (0.0, 8.0)
    radius_px: tuple[float, float] = (0.5, 3.0)
    hairs: float = 0.2
    length_px: tuple[float, float] = (8.0, 40.0)
    opacity: tuple[float, float] = (0.4, 1.0)

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        height, width = image.shape[:2]
        image = image.copy()
        for _ in range(int(rng.poisson(rng.uniform(*self.density) * height * width / 256**2))):
            self._settle(image, rng)
        return image

    def _settle(self, image: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Put one speck or hair onto the picture, which is changed."""
        is_hair = rng.random() < self.hairs
        radius = 0.6 if is_hair else rng.uniform(*self.radius_px)
        path = _draw_path(rng.uniform(*self.length_px) if is_hair else rng.uniform(0, radius), rng)
        path += rng.uniform(0, 1, 2) * image.shape[:2]
        opacity, level = rng.uniform(*self.opacity), _draw_level(rng)
        first = np.maximum(np.floor(path.min(axis=0) - radius - 1), 0).astype(int)
        last = np.ceil(path.max(axis=0) + radius + 2).astype(int)
        part = image[first[0] : last[0], first[1] : last[1]]
        y, x = np.mgrid[: part.shape[0], : part.shape[1]] + first[:, None, None]
        distance = np.hypot(y[..., None] - path[:, 0], x[..., None] - path[:, 1]).min(axis=-1)
        part[:] = _covered(part, opacity * (radius + 0.5 - distance).clip(0, 1), level)


def _draw_path(length: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points less than a pixel apart on a random arc from the origin: row, column."""
    along = np.arange(0, length + 1)
    angle = rng.uniform(0, 2 * math.pi) + rng.uniform(-1, 1) * math.pi * along / max(length, 1)
    return np.cumsum(np.stack([np.sin(angle), np.cos(angle)], axis=1), axis=0)


def _draw_level(rng: np.random.Generator) -> float:
    return rng.uniform(0.8, 1) if rng.random() < 0.6 else rng.uniform(0, 0.2)


def _covered(image: NDArray[np.float32], cover: NDArray[np.float64], level: float) -> NDArray[np.float32]:
    part = cover[..., None].astype(np.float32)
    return (image * (1 - part) + part * np.float32(level)).astype(np.float32, copy=False)
