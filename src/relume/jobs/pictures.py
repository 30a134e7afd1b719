"""How picture files are worked on: the stages of :mod:`relume.jobs.pipeline` for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from relume.errors import InputError
from relume.image import (
    LARGEST_WHOLE,
    Animation,
    Handover,
    Levels,
    Picture,
    Result,
    SaveOptions,
    Scan,
    read_header,
    read_image,
    write_image,
    write_parts,
)
from relume.jobs.pipeline import Tell, Written
from relume.workload import LARGEST_PART

T = TypeVar("T")

READ_BYTES, RESTORED_BYTES = 16, 16
"""What a picture holds per pixel: float32 RGB and what it is decoded from or encoded to."""

LEVEL_BYTES = 4
"""What a larger one holds per pixel, if it is read or encoded whole."""


@dataclass(frozen=True)
class Restored:
    """A result that is not written yet.

    Attributes:
        result: a picture, or one whose strips or frames are restored while it is written.
        scale: its columns per column of the picture.
        handover: of the strips or frames; None for a picture.
    """

    result: Result
    scale: float
    handover: Handover | None


@dataclass(frozen=True)
class PictureStages:
    """Reading, restoring and writing pictures.

    Attributes:
        restore: what is done to each picture.
        scale: how much larger results are; the largest of what the network makes and what is asked.
        max_pixels: files that announce more are refused.
        salvage: whether what can be decoded of damaged files is used.
        saving: options of the formats of results.
    """

    restore: Callable[[Picture | Scan | Animation, Tell], Result]
    scale: float
    max_pixels: int
    salvage: bool = False
    saving: SaveOptions = field(default_factory=SaveOptions)

    def weigh(self, source: Path) -> int:
        """Bytes for the picture and its result, by the file's header; 0 if it cannot be read."""
        try:
            header = read_header(source, max_pixels=self.max_pixels)
        except InputError:
            return 0
        px = header.width * header.height
        read = min(px, LARGEST_WHOLE) * READ_BYTES + px * LEVEL_BYTES
        out_px = px * self.scale**2
        return int(read + min(out_px, LARGEST_PART) * RESTORED_BYTES + out_px * LEVEL_BYTES)

    def load(self, source: Path) -> Picture | Scan | Animation:
        """Read a picture or an animation; see :func:`relume.image.read_image`."""
        return read_image(source, max_pixels=self.max_pixels, salvage=self.salvage)

    def work(self, loaded: Picture | Scan | Animation, tell: Tell) -> Restored:
        """Restore it, or make ready to do so part by part."""
        result = self.restore(loaded, tell)
        handover = None if isinstance(result, Picture | Levels) else Handover(result)
        return Restored(result, round(result.width / loaded.width, 4), handover)

    def begin_saving(self, worked: Restored, begin: Callable[[], T]) -> T:
        """Have it saved, and restore part by part what is written meanwhile."""
        return worked.handover.make(begin) if worked.handover else begin()

    def save(self, worked: Restored, target: Path) -> Written:
        """Write the result; see :func:`relume.image.write_image`."""
        if worked.handover:
            worked.handover.receive(lambda image: write_parts(image, target, **self.saving))
        else:
            write_image(worked.result, target, **self.saving)
        return Written(scale=worked.scale, width=worked.result.width, height=worked.result.height)
