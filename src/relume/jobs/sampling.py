"""What restoring a picture costs, found out by restoring a small part of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from relume.image import (
    Animation,
    Levels,
    Picture,
    Result,
    SaveOptions,
    Scan,
    Strips,
    read_image,
    write_image,
)
from relume.jobs.prospects import Prospect, restored_px
from relume.model import Model

PIECES = 4
"""A sample is a patchwork of so many pieces each way, spread evenly over the picture."""

_SMALL_SIDE = 64  # a multiple of every size_multiple there is

Restore = Callable[[Picture, int, int], Result]
"""A picture, and rows and columns of its result -> the result."""

Seconds = NDArray[np.float64]
"""Two numbers: on the clock, and of processor time, which other programs hardly change."""


@dataclass(frozen=True)
class Sample:
    """What trying a part of a picture gave.

    Attributes:
        read_s: of reading, for each pixel of the picture.
        first_s: what it took longer the first time, for each pixel of a window, however often it is run.
        restore_s: of restoring, for each pixel as :func:`relume.jobs.prospects.restored_px` counts them.
        write_s: of writing, for each pixel of the result.
        disk_bytes: of the file, for each pixel of the result.
    """

    read_s: Seconds
    first_s: Seconds
    restore_s: Seconds
    write_s: Seconds
    disk_bytes: float


@dataclass(frozen=True)
class Probe:
    """What the network needs.

    Attributes:
        seconds: for each pixel of a window.
        base_bytes: of the process, however small the windows are.
        bytes: of the network, for windows of some shapes.
    """

    seconds: float
    base_bytes: float
    bytes: Callable[[Collection[tuple[int, int]]], float]


def probe(open_another: Callable[[], Model], largest_px: int, within_s: float, in_levels: bool) -> Probe:
    """Run a small window, and a larger one by a second instance: each holds on to the memory it needs.

    Args:
        open_another: gives an instance of the model.
        largest_px: pixels of the largest window that is of interest.
        within_s: seconds that the larger window may take, about.
        in_levels: see :class:`relume.workload.Workload`.
    """
    process, depth = psutil.Process(), np.uint8 if in_levels else np.float32
    with open_another() as small, open_another() as large:
        seconds = min(_run_s(small, _SMALL_SIDE, depth) for _ in range(2)) / _SMALL_SIDE**2
        before = process.memory_info().rss
        side = max(2 * _SMALL_SIDE, int(min(largest_px, within_s / seconds) ** 0.5))
        side += -side % large.card.size_multiple
        _run_s(large, side, depth)
        grown = max(0, process.memory_info().rss - before)

    def needed(windows: Collection[tuple[int, int]]) -> float:
        return grown * large.graph_bytes(windows) / large.graph_bytes([(side, side)])

    return Probe(seconds, before - needed([(_SMALL_SIDE, _SMALL_SIDE)]), needed)


def _run_s(model: Model, side: int, depth: type[np.float32] | type[np.uint8]) -> float:
    return _timed(lambda: model.backend.run(np.zeros((1, side, side, 3), np.float32), depth))[1][0]


def take_sample(
    prospect: Prospect, restore: Restore, saving: SaveOptions, largest_px: int, max_pixels: int
) -> Sample:
    """Read a picture, and restore and write as many of its pixels.

    Raises:
        InputError: if it cannot be read.
        OutputError: if the sample cannot be written.
    """
    image, read_s = _timed(lambda: read_image(prospect.job.source, max_pixels=max_pixels))
    num_frames = len(image.durations_ms) if isinstance(image, Animation) else 1
    part = patchwork(next(image.frames) if isinstance(image, Animation) else image, largest_px)
    del image
    sides = zip((part.height, part.width), prospect.size, prospect.out_size, strict=True)
    height, width = (max(1, round(side * out / whole)) for side, whole, out in sides)
    window_px, out_px = part.height * part.width, height * width
    (_, first_s), (result, again_s) = (_timed(lambda: restore(part, height, width)) for _ in range(2))
    if prospect.workload.num_parts > 1 and isinstance(result, Picture | Levels):
        result = Strips(height, width, iter([result]))  # these have encoders of their own
    with TemporaryDirectory(prefix="relume-") as folder:
        path = Path(folder, f"sample{prospect.job.target.suffix}")
        _, write_s = _timed(lambda: write_image(result, path, **saving))
        disk_bytes = path.stat().st_size / out_px
    return Sample(
        read_s=read_s / prospect.px / num_frames,
        first_s=np.maximum(0, first_s - again_s) / window_px,
        restore_s=again_s / restored_px(window_px * prospect.workload.num_runs, out_px, prospect.scale),
        write_s=write_s / out_px,
        disk_bytes=disk_bytes,
    )


def patchwork(picture: Picture | Scan, largest_px: int) -> Picture:
    """A picture of at most so many pixels, of pieces that are spread evenly over a larger one."""
    share = min(1.0, (largest_px / (picture.height * picture.width)) ** 0.5)
    rows, columns = (_chosen(side, share) for side in (picture.height, picture.width))

    def pieces(plane: Any) -> NDArray[np.float32]:
        bands = [plane[band] for band in rows]
        return np.concatenate([np.concatenate([band[:, piece] for piece in columns], 1) for band in bands])

    alpha = None if picture.alpha is None else pieces(picture.alpha)
    return picture.replace(pixels=pieces(picture.pixels), alpha=alpha)


def _chosen(length: int, share: float) -> list[slice]:
    """Which rows, or columns, a patchwork has."""
    if share == 1:
        return [slice(0, length)]
    piece = max(1, int(length * share / PIECES))
    return [slice(start, start + piece) for start in np.linspace(0, length - piece, PIECES).astype(int)]


def now() -> Seconds:
    """The time, from some beginning on."""
    return np.array([perf_counter(), process_time()])


def _timed(call: Callable[[], Any]) -> tuple[Any, Seconds]:
    start = now()
    return call(), now() - start
