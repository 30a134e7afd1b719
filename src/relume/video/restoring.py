"""Decoded frames -> restored frames, ready for the encoder."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Final

import numpy as np

from relume.engine.restore import Pixels
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
_ENLARGED_AHEAD: Final = 1  # in floating point: four times as large as they are coded


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


@dataclass(frozen=True)
class _Looked:
    """A decoded frame.

    Attributes:
        frame: as it came.
        picture: its pixels; None: they are equal to those of the frame before.
        begins_scene: whether a cut is before it.
    """

    frame: Frame
    picture: Picture | None
    begins_scene: bool


@dataclass(frozen=True)
class _Enlarged:
    """A frame from the network.

    Attributes:
        pixels: HWC in [0, 1]; None: they are equal to those of the frame before.
        begins_scene: whether a cut is before it.
        note: what else is known about it.
    """

    pixels: Pixels | None
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
        ahead(restorer.look(frames), _DECODED_AHEAD, stop) as looked,
        ahead(restorer.enlarge(looked), _ENLARGED_AHEAD, stop) as enlarged,
    ):
        yield restorer.code(enlarged)


class Restorer:
    """Restores the frames of one film, one after the other, in three steps for a thread each.

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
        self._remembered = RememberingBackend(model.backend)
        in_tiles = plan.tile < max(info.height, info.width)  # else equal frames are all that can be found
        self._model = Model(model.card, self._remembered if in_tiles else model.backend, model.strength)
        self._info, self._pictures, self._stop = info, plan.pictures, stop
        self._options: Options = {
            "height": plan.pictures.height,
            "width": plan.pictures.width,
            "tile": plan.tile,
            "ensemble": wishes.ensemble,
            "lock_colours": wishes.lock_colours,
            "consistent": wishes.consistent,
            "provenance": False,
            "progress": self._look_whether_to_stop,
        }
        self._source = coding_of(info.pix_fmt, info.colour)
        self._target = coding_of(plan.pictures.encoding.pix_fmt, plan.pictures.colour)

    def restore(self, frames: Iterator[Frame]) -> Iterator[Restored]:
        """Restore frames as they come.

        Raises:
            InputError: if the film changes its size on the way.
            OutOfMemory: if a frame does not fit into memory, even in small tiles.
        """
        return self.code(self.enlarge(self.look(frames)))

    def look(self, frames: Iterator[Frame]) -> Iterator[_Looked]:
        """The first step: find cuts and what repeats, and decode colours."""
        cuts = CutDetector()
        before: Planes | None = None
        for frame in frames:
            planes = self._info.planes(frame)
            begins_scene = cuts.is_cut(planes[0], self._source.luma[1])
            repeated = before is not None and _equal(before, planes)
            before = planes
            picture = None if repeated else Picture(to_rgb(planes, self._source), grey=self._source.grey)
            yield _Looked(frame, picture, begins_scene)

    def enlarge(self, looked: Iterator[_Looked]) -> Iterator[_Enlarged]:
        """The second step: the network."""
        savings = self._remembered.savings
        for item in looked:
            asked, reused = savings.asked, savings.reused
            pixels = None
            if item.picture is not None:
                self._remembered.begin_frame()
                pixels = self._model.restore_picture(item.picture, **self._options).pixels
            note = Note(
                pts=item.frame.pts,
                duration=item.frame.duration,
                repeated=item.picture is None,
                asked=savings.asked - asked,
                reused=savings.reused - reused,
            )
            yield _Enlarged(pixels, item.begins_scene, note)

    def code(self, enlarged: Iterator[_Enlarged]) -> Iterator[Restored]:
        """The third step: encode colours."""
        image: VideoFrame | None = None
        layout, colour = self._pictures.encoding.pix_fmt, self._pictures.colour
        for item in enlarged:
            if item.pixels is not None:
                image = frame_of(from_rgb(item.pixels, self._target), layout, colour)
            assert image is not None  # the first frame repeats none
            yield Restored(image, item.begins_scene, item.note)

    def _look_whether_to_stop(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped


def picture_of(frame: Restored, plan: Plan) -> Picture:
    """A restored frame as a picture, with 16 bits a channel if the frame has more than 8."""
    coding = coding_of(plan.pictures.encoding.pix_fmt, plan.pictures.colour)
    pixels = to_rgb(planes_of(frame.image), coding)
    return Picture(pixels, grey=coding.grey, bits=8 if coding.bits == 8 else 16)


def _equal(a: Planes, b: Planes) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))
