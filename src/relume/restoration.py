"""What is done to the pixels of a picture: the network, what follows it, and the resize to the asked size."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relume.engine.restore import Depth, resize
from relume.fidelity import colour_lock, consistency
from relume.fidelity.consistency import back_project
from relume.fidelity.invented import departure
from relume.fidelity.resampling import REACH_PX, Kernel, Pixels, enlarge
from relume.image.levels import to_levels


class Network(Protocol):
    """HWC in [0, 1] -> HWC, larger by the model's scale; in [0, 1], or for uint8 in whole levels."""

    def __call__(self, lq: Pixels, /, depth: Depth = np.float32) -> NDArray[Any]:
        """Restore ``lq``; see :func:`relume.engine.restore.restore`."""
        ...


class Rows(Protocol):
    """A picture (HWC) or mask (HW) in [0, 1] of which rows can be had: an array, or what is on the disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns, and channels if there are any."""
        ...

    def __getitem__(self, rows: slice, /) -> Pixels: ...


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """How pictures are restored. Any rows of a result can be had without the others.

    Everything looks no further than ``margin_px`` around what it makes, so that a part of a picture, restored
    with this margin, is that part of the whole restored picture.

    Attributes:
        network: what restores; its results may be changed in place.
        scale: how much larger its results are.
        reach_px: how far around a pixel of the picture the network looks.
        multiple: parts begin at multiples of this, as the network's own grid does.
        kernel: how pictures are taken to have been made small.
        strength: 1 is the network's result, 0 the picture enlarged by the kernel; linear between.
        ensemble: mean of the network's results for the picture turned and mirrored in the eight ways.
        lock_colours: see :func:`relume.fidelity.colour_lock.lock_colours`.
        consistent: see :func:`relume.fidelity.consistency.back_project`.
        wrap: whether the picture goes on at its right border as at its left, and below as above (a texture).
    """

    network: Network
    scale: int
    reach_px: int
    multiple: int = 1
    kernel: Kernel = "bicubic"
    strength: float = 1.0
    ensemble: bool = False
    lock_colours: bool = False
    consistent: bool = False
    wrap: bool = False

    @property
    def margin_px(self) -> int:
        """How far around a part of the picture what happens there matters, in its pixels."""
        margin = max(self.reach_px, REACH_PX)
        if self.consistent:
            return margin + consistency.MARGIN_PX
        return margin + (colour_lock.MARGIN_PX if self.lock_colours else 0)

    def is_all_network(self, size: tuple[int, int], out_size: tuple[int, int]) -> bool:
        """Whether nothing follows the network for a picture and a result of so many rows and columns."""
        changed = self.strength < 1 or self.ensemble or self.consistent or self.lock_colours
        return not changed and out_size == (size[0] * self.scale, size[1] * self.scale)

    def levels(self, lq: Rows, height: int, width: int, first: int, last: int) -> NDArray[Any]:
        """Rows of the result in 8 bits; if nothing follows the network, it rounds. See :meth:`rows`."""
        rows, columns = lq.shape[:2]
        if not self.is_all_network((rows, columns), (height, width)):
            return to_levels(self.rows(lq, height, width, first, last), np.uint8)
        rounding = replace(self, network=partial(self.network, depth=np.uint8))
        return rounding.rows(lq, height, width, first, last)

    def rows(self, lq: Rows, height: int, width: int, first: int = 0, last: int | None = None) -> Pixels:
        """Rows of the result.

        Args:
            lq: the whole picture, HWC in [0, 1]; only rows that matter are asked for.
            height: rows of the whole result; another size than the network's is resized from that.
            width: columns of the result.
            first: first row that is wanted.
            last: end of the rows that are wanted; None: all to the end.

        Returns:
            HWC in [0, 1], ``last − first`` rows.
        """
        last = height if last is None else last
        rows, columns = lq.shape[:2]
        top, bottom, edge = self.seen((rows, columns), (height, width), first, last)
        sr = self._restored(self._cut(lq, top, bottom, edge))
        above, below = (self.scale * (row * rows / height - top) for row in (first, last))
        return resize(
            sr, last - first, width, (self.scale * edge, above, self.scale * (edge + columns), below)
        )

    def seen(
        self, size: tuple[int, int], out_size: tuple[int, int], first: int, last: int
    ) -> tuple[int, int, int]:
        """What of a picture is looked at for some rows of the result.

        Args:
            size: rows and columns of the picture.
            out_size: rows and columns of the whole result.
            first: first row that is wanted.
            last: end of the rows that are wanted.

        Returns:
            First row and end; and how many columns beyond either border, where a texture goes on (as rows
            may then, too).
        """
        (rows, columns), (height, width) = size, out_size
        reach = self._reach(max(1.0, rows / height, columns / width))
        edge = reach if self.wrap else 0
        top = max(-edge, _floor(math.floor(first * rows / height) - reach, self.multiple))
        return top, min(rows + edge, math.ceil(last * rows / height) + reach), edge

    def mask_rows(self, mask: Rows, height: int, width: int, first: int, last: int) -> Pixels:
        """Rows of an enlarged mask (alpha, HW): by the bicubic kernel, as there is no texture to restore."""
        plain = Restoration(network=_unchanged, scale=1, reach_px=0, wrap=self.wrap)
        return plain.rows(mask, height, width, first, last)

    def departure_rows(self, lq: Rows, result: Pixels, height: int, width: int, first: int) -> Pixels:
        """Where rows of a result, from ``first`` on, depart from what the picture determines: HW in [0, 1].

        See :func:`relume.fidelity.invented.departure`.
        """
        determined = replace(
            self,
            network=self._enlarged,
            strength=1.0,
            ensemble=False,
            consistent=True,
        )
        return departure(result, determined.rows(lq, height, width, first, first + len(result)))

    def _reach(self, step: float) -> int:
        """The margin and what the last resize looks at, whose steps are that many pixels of the picture."""
        return -_floor(-self.margin_px - math.ceil(REACH_PX * step) - 1, self.multiple)

    def _cut(self, lq: Rows, top: int, bottom: int, edge: int) -> Pixels:
        height, width = lq.shape[:2]
        copies = range(top // height, -(-bottom // height))  # of the picture, one below the other
        cuts = [lq[max(0, top - i * height) : min(height, bottom - i * height)] for i in copies]
        rows = cuts[0] if len(cuts) == 1 else np.concatenate(cuts)
        return rows.take(range(-edge, width + edge), 1, mode="wrap") if edge else rows

    def _enlarged(self, lq: Pixels) -> Pixels:
        return np.clip(enlarge(lq, self.scale, self.kernel), 0, 1)

    def _restored(self, lq: Pixels) -> Pixels:
        sr = _ensemble(self.network, lq) if self.ensemble else self.network(lq)
        if self.strength < 1:
            sr -= (plain := self._enlarged(lq))
            sr *= self.strength
            sr += plain
        if self.consistent:
            return back_project(sr, lq, self.scale, self.kernel)
        return colour_lock.lock_colours(sr, lq, self.scale, self.kernel) if self.lock_colours else sr


def strips(height: int, width: int, largest: int) -> Iterator[tuple[int, int]]:
    """First row and end of strips of at most ``largest`` pixels (one row at least), from top to bottom."""
    count = math.ceil(height / max(1, largest // width))
    for i in range(count):
        yield i * height // count, (i + 1) * height // count


def _unchanged(lq: Pixels, /, depth: Depth = np.float32) -> Pixels:
    assert depth is np.float32
    return lq


def _floor(value: int, multiple: int) -> int:
    return value // multiple * multiple


def _ensemble(network: Network, lq: Pixels) -> Pixels:
    """The mean over the eight symmetries of the square.

    Source: R. Timofte, R. Rothe, L. Van Gool, "Seven ways to improve example-based single image
    super-resolution", CVPR 2016, section 3.3.
    """
    total: Pixels = network(lq)
    for turn in range(1, 8):
        total += _turned_back(network(_turned(lq, turn)), turn)
    return total / np.float32(8)


def _turned(pixels: Pixels, turn: int) -> Pixels:
    mirrored = pixels[:, ::-1] if turn >= 4 else pixels
    return np.ascontiguousarray(np.rot90(mirrored, turn % 4))


def _turned_back(pixels: Pixels, turn: int) -> Pixels:
    upright = np.rot90(pixels, -(turn % 4))
    return upright[:, ::-1] if turn >= 4 else upright
