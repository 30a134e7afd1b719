"""Decoded frames -> restored frames, ready for the encoder."""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from relume.backends.base import Backend
from relume.card import ModelCard
from relume.engine.restore import resize, restore
from relume.errors import InputError
from relume.video.colour import RGB_MATRIX, Planes, from_rgb, to_rgb
from relume.video.cuts import CutDetector
from relume.video.film import FilmInfo, Frame
from relume.video.reuse import RememberingBackend
from relume.video.tags import Colour, coding_of, frame_of, planes_of, settled_colour

if TYPE_CHECKING:
    from av import VideoFrame


class Stopped(Exception):
    """Somebody left the pipeline while a frame was being computed."""


@dataclass(frozen=True)
class Restored:
    """A restored frame.

    Attributes:
        image: to be encoded.
        pts: when it is shown, in units of the original's time base.
        duration: for how long, in that unit; 0 if that is not told.
        begins_scene: whether a cut is before it.
        repeated: whether it is equal to the one before, and was not computed again.
        asked: pixels of the input that the network was asked for.
        reused: how many of them were known from the frame before.
    """

    image: "VideoFrame"
    pts: int
    duration: int
    begins_scene: bool
    repeated: bool
    asked: int
    reused: int


class Restorer:
    """Restores the frames of one film, one after the other.

    Args:
        backend: the network.
        card: its card.
        info: the film.
        size: rows and columns of the result.
        pix_fmt: planar layout of the result.
        tile: side of the tiles; the same for all frames, so that equal frames give equal results.
        stop: when set, the frame at work is given up after the next tile.
    """

    def __init__(
        self,
        backend: Backend,
        card: ModelCard,
        info: FilmInfo,
        size: tuple[int, int],
        pix_fmt: str,
        tile: int,
        stop: Event,
    ):
        self._backend = RememberingBackend(backend)
        self._card, self._info, self._size, self._tile, self._stop = card, info, size, tile, stop
        self.colour = result_colour(info, pix_fmt)
        self._pix_fmt = pix_fmt
        self._source = coding_of(info.pix_fmt, info.colour)
        self._target = coding_of(pix_fmt, self.colour)
        self._cuts = CutDetector()
        self._before: tuple[Planes, VideoFrame] | None = None

    def restore(self, frames: Iterator[Frame]) -> Iterator[Restored]:
        """Restore frames as they come.

        Raises:
            InputError: if the film changes its size on the way.
            OutOfMemory: if a frame does not fit into memory, even in small tiles.
        """
        for frame in frames:
            planes = planes_of(frame.image)
            if planes[0].shape != (self._info.height, self._info.width):
                raise _changed(self._info, *planes[0].shape)
            begins_scene = self._cuts.is_cut(planes[0], self._source.luma[1])
            known = self._before and _equal(self._before[0], planes)
            before = self._backend.savings
            asked, reused = before.asked, before.reused
            image = self._before[1] if self._before and known else self._computed(planes)
            self._before = planes, image
            yield Restored(
                image,
                frame.pts,
                frame.duration,
                begins_scene,
                bool(known),
                before.asked - asked,
                before.reused - reused,
            )

    def _computed(self, planes: Planes) -> "VideoFrame":
        self._backend.begin_frame()
        rgb = restore(
            self._backend, self._card, to_rgb(planes, self._source), tile=self._tile, progress=self._look
        )
        rgb = resize(rgb, *self._size)
        if self._source.grey and not self._target.grey:
            rgb[:] = rgb.mean(axis=2, keepdims=True)
        return frame_of(from_rgb(rgb, self._target), self._pix_fmt, self.colour)

    def _look(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped


def _changed(info: FilmInfo, height: int, width: int) -> InputError:
    return InputError(
        "the film changes its size on the way",
        got=f"{width} × {height} after {info.width} × {info.height}",
        hint="cut it there with FFmpeg, and restore the parts",
    )


def result_colour(info: FilmInfo, pix_fmt: str) -> Colour:
    """The colour tags of the result: the film's, but BT.709 where RGB must become Y'CbCr."""
    rgb = pix_fmt.startswith("gbr")
    was_rgb = info.colour.matrix == RGB_MATRIX
    if rgb == was_rgb:
        return info.colour
    if rgb:
        return settled_colour(info.colour, info.height, rgb=True)
    return Colour(info.colour.primaries, info.colour.transfer, 1, 1)


def _equal(a: Planes, b: Planes) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))
