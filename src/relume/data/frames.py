"""Frames of films as training pictures: numbered files, used where enough consecutive ones are there."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.data.pictures import DecodedPictures, find_pictures
from relume.errors import InputError

Frame = tuple[str, int, Path]
"""The film, the number in it, the file."""


def find_frames(sources: Iterable[str | Path]) -> list[Frame]:
    """The frames of a data set, sorted by film and number.

    Args:
        sources: folders or lists of frames whose names end in their number (``000017.png``,
            ``take3_17.png``); a film is what has the same folder and name before the number.

    Raises:
        InputError: if a source is missing, nothing is found, a frame has no number, or two have the same.
    """
    frames = sorted(map(_frame, find_pictures(sources)))
    for (film, number, path), following in pairwise(frames):
        if (film, number) == following[:2]:
            raise InputError(f"two frames have the number {number}", got=f"{path}, {following[2]}")
    return frames


def _frame(path: Path) -> Frame:
    number = re.search(r"\d+$", path.stem)
    if number is None:
        raise InputError(
            f"cannot tell the place of {path} in its film", allowed="names that end in a number (000017.png)"
        )
    return f"{path.parent}/{path.stem[: number.start()]}", int(number.group()), path


@dataclass(frozen=True)
class DecodedFrames:
    """Frames that have enough consecutive ones around them, decoded.

    Attributes:
        frames: all decoded frames.
        middles: which of them have the frames around them that an item may need.
    """

    frames: DecodedPictures
    middles: tuple[int, ...]

    @classmethod
    def decode(
        cls, frames: Sequence[Frame], *, reach: int, smallest_px: int, cache: Path | None = None
    ) -> "DecodedFrames":
        """Decode frames that are not in the cache yet; see :meth:`DecodedPictures.decode`.

        Args:
            frames: of :func:`find_frames`.
            reach: frames needed before and after a middle one.
            smallest_px: smallest side of a frame.
            cache: where decoded frames are kept.

        Raises:
            InputError: if there is no run of ``2 * reach + 1`` consecutive frames of one size.
        """
        decoded = DecodedPictures.decode([path for *_, path in frames], smallest_px=smallest_px, cache=cache)
        used = [frame for frame in frames if str(frame[2]) not in decoded.skipped]
        places = [
            ((film, *shape), number) for (film, number, _), shape in zip(used, decoded.shapes, strict=True)
        ]
        middles = tuple(
            i for i in range(reach, len(used) - reach) if _is_run(places[i - reach : i + reach + 1])
        )
        if not middles:
            raise InputError(
                f"there are no {2 * reach + 1} consecutive frames of one size",
                got=f"{len(used)} frames, the first {used[0][2]}",
                hint="frames must be numbered without gaps",
            )
        return cls(decoded, middles)

    @property
    def skipped(self) -> dict[str, str]:
        """Source files that are not used, with the reason; they end a run of frames."""
        return self.frames.skipped

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the middle frames."""
        return tuple(self.frames.shapes[middle] for middle in self.middles)

    @property
    def fingerprint(self) -> str:
        """Hash over number, order and sizes of the frames and where runs end."""
        return hashlib.sha256(f"{self.frames.fingerprint} {self.middles}".encode()).hexdigest()

    def around(self, index: int, reach: int) -> list[NDArray[np.uint8]]:
        """Middle frame ``index`` with ``reach`` frames before and after it, uint8 HWC, memory-mapped."""
        middle = self.middles[index]
        return [self.frames.pixels(i) for i in range(middle - reach, middle + reach + 1)]


def _is_run(places: Sequence[tuple[tuple[object, ...], int]]) -> bool:
    film, first = places[0]
    return all(place == (film, first + i) for i, place in enumerate(places))
