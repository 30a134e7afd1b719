"""Where crops lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Place:
    """A square crop of one of many pictures.

    Attributes:
        index: which picture.
        top: first row.
        left: first column.
        side: rows and columns.
    """

    index: int
    top: int
    left: int
    side: int

    def cut(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The crop of its picture, HWC."""
        return pixels[self.top : self.top + self.side, self.left : self.left + self.side]


@dataclass(frozen=True)
class Places:
    """All crops of all pictures: a W×H picture has (W−c+1)(H−c+1) crops of side c, each equally likely.

    Attributes:
        shapes: height and width of the pictures; no side is below ``crop_px``.
        crop_px: side of a crop.
    """

    shapes: Sequence[tuple[int, int]]
    crop_px: int

    @cached_property
    def _crops_up_to(self) -> NDArray[np.int64]:
        shapes = np.array(self.shapes, dtype=np.int64)
        return np.cumsum((shapes - self.crop_px + 1).prod(axis=1))

    def draw(self, rng: np.random.Generator) -> Place:
        """A random crop."""
        crop = int(rng.integers(self._crops_up_to[-1]))
        index = int(np.searchsorted(self._crops_up_to, crop, side="right"))
        within = crop - (int(self._crops_up_to[index - 1]) if index else 0)
        top, left = divmod(within, self.shapes[index][1] - self.crop_px + 1)
        return Place(index, top, left, self.crop_px)
