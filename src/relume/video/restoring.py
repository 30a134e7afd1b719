"""Decoded frames -> restored frames, ready for the encoder."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Final

import numpy as np

from relume.image import Picture
from relume.model import Model, Options
from relume.video.ahead import ahead
from relume.video.colour import Planes, from_rgb, to_rgb
from relume.video.cuts import CutDetector
from relume.video.film import Film, FilmInfo, Frame
from relume.video.plan import Plan, Wishes
from relume.video.reuse import RememberingBackend
from relume.video.tags import coding_of, frame_of, planes_of

if TYPE_CHECKING:
    from av import VideoFrame


_DECODED_AHEAD: Final = 4
_RESTORED_AHEAD: Final = 2


class Stopped(Exception):
    """Somebody left the pipeline while a frame was being computed."""


@dataclass(frozen=True)
class Note:
    """What is known about a restored frame, besides its pixels.

    Attributes:
        pts: when it is shown, in units of the original's time base.
        duration: for how long, in that unit; 0 if that is not told.
        repeated: whether it is equal to the one before, and was not computed again.
        asked: pixels of the input that the network was asked for.
        reused: how many of them were known from the frame before.
    """

    pts: int
    duration: int
    repeated: bool
    asked: int
    reused: int


@dataclass(frozen=True)
class Restored:
    """A restored frame.

    Attributes:
        image: to be encoded.
        begins_scene: whether a cut is before it.
        note: what else is known about it.
    """

    image: "VideoFrame"
    begins_scene: bool
    note: Note


@contextmanager
def restored_frames(
    film: Film, model: Model, plan: Plan, wishes: Wishes, *, skip: int = 0
) -> Generator[Iterator[Restored]]:
    """The restored frames of a film, computed ahead: decoding, network and encoding work at the same time.

    Args:
        film: open, at its beginning.
        model: what restores.
        plan: how.
        wishes: what is asked.
        skip: how many frames are left out at the beginning.
    """
    stop = Event()
    frames = islice(film.frames(wishes.excerpt), skip, None)
    restorer = Restorer(model, film.info, plan, wishes, stop)
    with (
        ahead(frames, _DECODED_AHEAD, stop) as decoded,
        ahead(restorer.restore(decoded), _RESTORED_AHEAD, stop) as restored,
    ):
        yield restored


class Restorer:
    """Restores the frames of one film, one after the other.

    Args:
        model: what restores.
        info: the film.
        plan: how it is restored.
        wishes: what is asked of the model.
        stop: when set, the frame at work is given up after the next tile.
    """

    def __init__(
        self,
        model: Model,
        info: FilmInfo,
        plan: Plan,
        wishes: Wishes,
        stop: Event,
    ):
        self._backend = RememberingBackend(model.backend)
        self._model = Model(model.card, self._backend, model.strength)
        self._info, self._pictures, self._stop = info, plan.pictures, stop
        self._options: Options = {
            "height": plan.pictures.height,
            "width": plan.pictures.width,
            "tile": plan.tile,
            "ensemble": wishes.ensemble,
            "lock_colours": wishes.lock_colours,
            "consistent": wishes.consistent,
            "provenance": False,
            "progress": self._look,
        }
        self._source = coding_of(info.pix_fmt, info.colour)
        self._target = coding_of(plan.pictures.encoding.pix_fmt, plan.pictures.colour)
        self._cuts = CutDetector()
        self._before: tuple[Planes, VideoFrame] | None = None

    def restore(self, frames: Iterator[Frame]) -> Iterator[Restored]:
        """Restore frames as they come.

        Raises:
            InputError: if the film changes its size on the way.
            OutOfMemory: if a frame does not fit into memory, even in small tiles.
        """
        for frame in frames:
            planes = self._info.planes(frame)
            begins_scene = self._cuts.is_cut(planes[0], self._source.luma[1])
            known = self._before and _equal(self._before[0], planes)
            before = self._backend.savings
            asked, reused = before.asked, before.reused
            image = self._before[1] if self._before and known else self._computed(planes)
            self._before = planes, image
            note = Note(frame.pts, frame.duration, bool(known), before.asked - asked, before.reused - reused)
            yield Restored(image, begins_scene, note)

    def _computed(self, planes: Planes) -> "VideoFrame":
        self._backend.begin_frame()
        picture = Picture(to_rgb(planes, self._source), grey=self._source.grey)
        rgb = self._model.restore_picture(picture, **self._options).pixels
        return frame_of(from_rgb(rgb, self._target), self._pictures.encoding.pix_fmt, self._pictures.colour)

    def _look(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped


def picture_of(frame: Restored, plan: Plan) -> Picture:
    """A restored frame as a picture, with 16 bits a channel if the frame has more than 8."""
    coding = coding_of(plan.pictures.encoding.pix_fmt, plan.pictures.colour)
    pixels = to_rgb(planes_of(frame.image), coding)
    return Picture(pixels, grey=coding.grey, bits=8 if coding.bits == 8 else 16)


def _equal(a: Planes, b: Planes) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))
