"""What video recorders do to a picture: interlacing, displaced colour, soft and trembling lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize

FROM_RGB = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
"""Brightness and two colour differences (ITU-R BT.601) from RGB; the differences are within ±0.5."""

TO_RGB = np.linalg.inv(FROM_RGB.astype(np.float64)).astype(np.float32)


@dataclass(frozen=True)
class Interlace:
    """Combing: every other line was taken a moment later, when the camera had moved on.

    Attributes:
        motion_px: range of the horizontal motion between the two fields; to either side.
    """

    motion_px: tuple[float, float] = (0.5, 6.0)

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        motion, later = rng.uniform(*self.motion_px) * rng.choice([-1, 1]), int(rng.integers(2))
        image = image.copy()
        image[later::2] = _moved(image[later::2], np.full(len(image[later::2]), motion))
        return image


@dataclass(frozen=True)
class ChromaShift:
    """Colour that lies beside what it belongs to, and is smeared along the lines.

    Attributes:
        shift_px: largest displacement to either side.
        smear_px: range of the width over which colour is averaged along a line.
    """

    shift_px: float = 3.0
    smear_px: tuple[float, float] = (1.0, 8.0)

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC RGB in [0, 1] -> HWC in [0, 1] of the same size."""
        split = image @ FROM_RGB.T
        shift = rng.uniform(-self.shift_px, self.shift_px)
        moved = _moved(split[..., 1:], np.full(len(image), shift))
        split[..., 1:] = _smeared(moved, rng.uniform(*self.smear_px))
        return (split @ TO_RGB.T).clip(0, 1)


@dataclass(frozen=True)
class Tape:
    """A video tape's lines: fewer details along them than the frame could hold, and none where it should be.

    Attributes:
        smear_px: range of the width over which lines are averaged; 2 leaves half their details.
        jitter_px: range of the standard deviation of a line's displacement.
    """

    smear_px: tuple[float, float] = (1.0, 2.5)
    jitter_px: tuple[float, float] = (0.0, 0.5)

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1] of the same size."""
        displaced = rng.normal(0, rng.uniform(*self.jitter_px), len(image))
        return _moved(_smeared(image, rng.uniform(*self.smear_px)), displaced).clip(0, 1)


def _moved(lines: NDArray[np.float32], shifts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Every line moved to the right by its own number of pixels, bilinearly; beyond the edge, its mirror."""
    width = lines.shape[1]
    places = np.arange(width) - shifts[:, None]
    left = np.floor(places).astype(np.int64)
    part = (places - left).astype(np.float32)[..., None]
    rows = np.arange(len(lines))[:, None]
    return lines[rows, _mirrored(left, width)] * (1 - part) + lines[rows, _mirrored(left + 1, width)] * part


def _mirrored(places: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    folded = places % (2 * width)
    return np.minimum(folded, 2 * width - 1 - folded)


def _smeared(lines: NDArray[np.float32], smear_px: float) -> NDArray[np.float32]:
    """Made narrower and wide again: details finer than ``smear_px`` are lost along the lines only."""
    height, width, _ = lines.shape
    narrow = imresize(lines, height=height, width=max(1, round(width / smear_px)), kernel="area")
    return imresize(narrow, height=height, width=width, kernel="bilinear")
