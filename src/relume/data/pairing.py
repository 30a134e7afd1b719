"""How input and target of a crop come about: degraded, given, or from the frames of a film.

Each is a frozen object ``(pictures, place, rng) -> (input, target)``, both uint8 HWC.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relume.data.frames import DecodedFrames
from relume.data.pairs import DecodedPairs
from relume.data.pictures import DecodedPictures
from relume.data.places import Place
from relume.degrade.frames import FrameMean

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Degradation(Protocol):
    """What turns a sharp crop into a network's input."""

    @property
    def margin_px(self) -> int:
        """How far outside a crop the result depends on the picture; a multiple of the scale."""
        ...

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1]."""
        ...


@dataclass(frozen=True)
class Degraded:
    """The input is what degrading the whole picture would give at that place: a margin around it is degraded.

    Attributes:
        degradation: sharp crop -> input.
        scale: target pixels per input pixel; divides the side of a place.
    """

    degradation: Degradation
    scale: int

    def __call__(self, pictures: DecodedPictures, place: Place, rng: np.random.Generator) -> Pair:
        """Input and target."""
        pixels = pictures.pixels(place.index)
        y0, y1 = self._window(place.top, place.side, pixels.shape[0])
        x0, x1 = self._window(place.left, place.side, pixels.shape[1])
        context = np.ascontiguousarray(
            pixels[place.top - y0 : place.top + y1, place.left - x0 : place.left + x1]
        )
        degraded = self.degradation(context.astype(np.float32) / np.float32(255), rng)
        side = place.side // self.scale
        lq = degraded[y0 // self.scale :, x0 // self.scale :][:side, :side]
        return _rounded(lq), place.cut(pixels)

    def _window(self, offset: int, side: int, length: int) -> tuple[int, int]:
        """How far the context reaches before and after a crop's offset, in whole input pixels."""
        margin = self.degradation.margin_px
        before = min(margin, offset // self.scale * self.scale)
        after = min(side + margin, (length - offset) // self.scale * self.scale)
        return before, after


@dataclass(frozen=True)
class Given:
    """Both are cut from the same place of the two pictures of a pair."""

    def __call__(self, pictures: DecodedPairs, place: Place, rng: np.random.Generator) -> Pair:
        """Input and target."""
        degraded, sharp = pictures.pixels(place.index)
        return place.cut(degraded), place.cut(sharp)


@dataclass(frozen=True)
class Averaged:
    """The input is the mean of consecutive frames, the target the middle one of them.

    Attributes:
        mean: how many frames make an input, and how.
    """

    mean: FrameMean

    def __call__(self, pictures: DecodedFrames, place: Place, rng: np.random.Generator) -> Pair:
        """Input and target."""
        reach = self.mean.draw_reach(rng)
        frames = [place.cut(frame) for frame in pictures.around(place.index, reach)]
        return _rounded(self.mean(frames)), frames[reach]


def _rounded(unit: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.floor(unit.clip(0, 1) * 255 + 0.5).astype(np.uint8)
