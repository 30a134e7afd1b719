"""What a film is, wherever it comes from: its description and its frames one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError
from relume.video.colour import Planes, to_rgb
from relume.video.interlace import Interlaced
from relume.video.tags import Colour, Tags, coding_of, planes_of

if TYPE_CHECKING:
    from av import VideoFrame

DEFAULT_RATE: Final = Fraction(25)
"""Frames per second where nothing tells them."""


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        image: its planes, in the planar layout of :attr:`FilmInfo.pix_fmt`.
        pts: when it is shown, in units of the film's time base.
        duration: for how long, in the same unit; 0 if that is not told.
    """

    image: "VideoFrame"
    pts: int
    duration: int


@dataclass(frozen=True)
class Excerpt:
    """A part of a film, in seconds of its own time.

    Attributes:
        start: the first frame is the first that is shown then or later.
        end: the first frame that is left out is the first that is shown then or later; None: none is.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all of the film, with whatever lies before its zero."""
        return not self.start and self.end is None

    def holds(self, seconds: Fraction) -> bool:
        """Whether what is shown then belongs to it."""
        return (not self.start or seconds >= self.start) and (self.end is None or seconds < self.end)


WHOLE: Final = Excerpt()
"""All of a film."""


@dataclass(frozen=True, kw_only=True)
class FilmInfo:
    """What a film is.

    Attributes:
        width: columns of a frame, as coded: before rotation and pixel shape.
        height: rows of a frame.
        time_base: seconds per unit of timestamps.
        rate: frames per second, on average.
        num_frames: how many there are, as far as the container knows or a count of packets tells.
        codec: FFmpeg's name of the codec.
        tags: what must be the same in the result.
        colour: as in the tags, with matrix and range made explicit.
        pix_fmt: the planar layout that frames are given in.
        interlaced: whether it was, see :data:`relume.video.interlace.Interlaced`.
        deinterlacing: options of the filter that frames have gone through; None: they come as they were.
    """

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    num_frames: int
    codec: str
    tags: Tags
    colour: Colour
    pix_fmt: str
    interlaced: Interlaced = "no"
    deinterlacing: str | None = None

    def num_frames_in(self, excerpt: Excerpt) -> int:
        """Frames of a part, about; 0 if that is not known."""
        first = round(excerpt.start * self.rate)
        last = self.num_frames
        if excerpt.end is not None:
            last = min(last, round(excerpt.end * self.rate))
        return max(0, last - first)

    def planes(self, frame: Frame) -> Planes:
        """The samples of one of its frames.

        Raises:
            InputError: if the film has changed its size on the way.
        """
        planes = planes_of(frame.image)
        height, width = planes[0].shape
        if (height, width) != (self.height, self.width):
            raise InputError(
                "the film changes its size on the way",
                got=f"{width} × {height} after {self.width} × {self.height}",
                hint="cut it there with FFmpeg, and restore the parts",
            )
        return planes

    def rgb(self, frame: Frame) -> NDArray[np.float32]:
        """One of its frames as HWC in [0, 1].

        Raises:
            InputError: if the film has changed its size on the way.
        """
        return to_rgb(self.planes(frame), coding_of(self.pix_fmt, self.colour))


class Film(ABC):
    """A film that is open for one pass over its frames.

    Attributes:
        info: what it is.
        num_damaged: packets that could not be decoded so far.
    """

    def __init__(self, info: FilmInfo):
        self.info = info
        self.num_damaged = 0

    @abstractmethod
    def frames(self, excerpt: Excerpt = WHOLE) -> Iterator[Frame]:
        """Every frame, in the order of time, each later than the one before."""

    @abstractmethod
    def frame_at(self, seconds: Fraction) -> Frame | None:
        """The first frame that is shown at a time or later; None after the end."""
