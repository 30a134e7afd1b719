"""Pictures too large to be held in float32."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from relume.image.picture import Metadata, Picture, picture_from

LARGEST_WHOLE: Final = 1 << 24
"""Pixels of the largest picture that is held in float32: 200 MB."""

_FILL_PX: Final = 64
"""Rows around a transparent pixel where its made-up colour comes from, see ``image.transparency``."""


class LevelRows(Protocol):
    """HWC levels, of which rows can be had: an array, or :class:`relume.image.libvips.DecodedRows`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns, channels."""
        ...

    @property
    def dtype(self) -> Any:
        """uint8 or uint16."""
        ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Rows:
    """Of a large array, those that are asked for by a slice.

    Attributes:
        shape: of the whole.
        between: makes the rows from one to before another.
    """

    shape: tuple[int, ...]
    between: Callable[[int, int], NDArray[np.float32]]

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        first, last, _ = rows.indices(self.shape[0])
        return self.between(first, last)


@dataclass(frozen=True)
class Scan:
    """A picture, upright, whose rows become float32 when they are looked at; else as :class:`Picture`.

    Attributes:
        levels: decoded, in memory or on the disk.
        head: metadata, greyness, bits and format, without pixels.
    """

    levels: LevelRows
    head: Picture

    @property
    def height(self) -> int:
        """Rows."""
        return self.levels.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.levels.shape[1]

    @property
    def grey(self) -> bool:
        """See :class:`Picture`."""
        return self.head.grey

    @property
    def xmp(self) -> bytes | None:
        """The XMP packet."""
        return self.head.xmp

    @property
    def bits(self) -> int:
        """See :class:`Picture`."""
        return self.head.bits

    def metadata(self) -> Metadata:
        """What stands beside the pixels."""
        return self.head.metadata()

    @property
    def pixels(self) -> Rows:
        """HWC RGB in [0, 1]."""
        return Rows((self.height, self.width, 3), lambda first, last: self._part(first, last).pixels)

    @property
    def alpha(self) -> Rows | None:
        """HW in [0, 1]; None for opaque pictures."""
        return Rows((self.height, self.width), self._alpha) if self._has_alpha else None

    def replace(self, **changes: Any) -> Picture:
        """A picture with these pixels, or whatever else is named, and the metadata of this one."""
        return self.head.replace(**changes)

    @property
    def _has_alpha(self) -> bool:
        return self.levels.shape[2] % 2 == 0

    def _part(self, first: int, last: int) -> Picture:
        top = max(0, first - _FILL_PX) // _FILL_PX * _FILL_PX if self._has_alpha else first
        bottom = last + _FILL_PX if self._has_alpha else last
        part = picture_from(self.levels[top:bottom], Metadata(), self.head.format)
        return part.replace(pixels=part.pixels[first - top : last - top])

    def _alpha(self, first: int, last: int) -> NDArray[np.float32]:
        alpha = picture_from(self.levels[first:last], Metadata(), self.head.format).alpha
        assert alpha is not None
        return alpha


def scan_from(levels: LevelRows, metadata: Metadata, format: str) -> Scan:
    """Make a scan of what a decoder gives; arguments as for :func:`relume.image.picture.picture_from`."""
    head = picture_from(levels[:1], metadata, format)
    return Scan(levels, head.replace(pixels=head.pixels[:0], alpha=None))
