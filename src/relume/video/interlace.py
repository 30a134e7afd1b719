"""Interlaced films: told by their codec or by their look, and made progressive."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from relume.video.tags import planes_of

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream

_COMBED_SHARE: Final = 0.25
"""A film is suspected if so many of its moving frames are combed."""

_MOVING: Final = 0.01
"""A frame moves if so many of its pixels differ by more than noise."""


class Deinterlacer:
    """FFmpeg's ``bwdif``: one frame for every frame, at its time; frames marked progressive pass unchanged.

    Args:
        stream: where the frames come from.
    """

    def __init__(self, stream: "VideoStream"):
        from av.filter import Graph

        self._graph = Graph()
        source = self._graph.add_buffer(template=stream, time_base=stream.time_base)
        filter = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        sink = self._graph.add("buffersink")
        source.link_to(filter)
        filter.link_to(sink)
        self._graph.configure()
        self._unit = stream.time_base

    def frames(self, frames: Iterator["VideoFrame"]) -> Iterator["VideoFrame"]:
        """Deinterlace; a frame comes out when the next one is in."""
        for frame in frames:
            self._graph.vpush(frame)
            yield from self._ready()
        self._graph.vpush(None)
        yield from self._ready()

    def _ready(self) -> Iterator["VideoFrame"]:
        from av.error import BlockingIOError, EOFError

        while True:
            try:
                frame = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            yield self._at_its_time(frame)

    def _at_its_time(self, frame: "VideoFrame") -> "VideoFrame":
        """The filter counts in halves of the stream's unit."""
        share: Any = frame.time_base / self._unit if frame.time_base and self._unit else 1
        if frame.pts is not None:
            frame.pts = round(frame.pts * share)
        frame.duration = round((frame.duration or 0) * share)
        frame.time_base = self._unit
        return frame


def looks_interlaced(frames: Sequence["VideoFrame"]) -> bool:
    """Whether frames that nothing marks as interlaced are combed where something moves.

    A pixel is combed if it lies above or below both its neighbours in the other field by far more than those
    differ from each other (the criterion of most inverse telecine filters); in a progressive picture few are.
    """
    combed = moving = 0
    for before, after in pairwise(frames):
        old, new = (planes_of(frame)[0].astype(np.int32) >> _shift(frame) for frame in (before, after))
        moved = np.abs(new - old)[1:-1] > 8
        if old.shape[0] < 8 or moved.mean() < _MOVING:
            continue
        moving += 1
        above, middle, below = new[:-2], new[1:-1], new[2:]
        teeth = (middle - above) * (middle - below) > 100
        combed += bool((teeth & moved).sum() > 0.3 * moved.sum())
    return moving >= 3 and combed > _COMBED_SHARE * moving


def _shift(frame: "VideoFrame") -> int:
    return frame.format.components[0].bits - 8
