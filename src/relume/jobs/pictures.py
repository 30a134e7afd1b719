"""How picture files are worked on: the stages of :mod:`relume.jobs.pipeline` for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from relume.errors import InputError
from relume.image import Animation, Levels, Picture, Result, SaveOptions, read_header, read_image, write_image
from relume.jobs.pipeline import Tell, Written

READ_BYTES, RESTORED_BYTES = 16, 16
"""What a picture holds per pixel: float32 RGB and what it is decoded from or encoded to."""


@dataclass(frozen=True)
class Restored:
    """A result that is not written yet.

    Attributes:
        result: a picture, or one whose strips or frames are restored while it is written.
        scale: its columns per column of the picture.
    """

    result: Result
    scale: float


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

    restore: Callable[[Picture | Animation, Tell], Result]
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
        return int(header.width * header.height * (READ_BYTES + RESTORED_BYTES * self.scale**2))

    def load(self, source: Path) -> Picture | Animation:
        """Read a picture or an animation; see :func:`relume.image.read_image`."""
        return read_image(source, max_pixels=self.max_pixels, salvage=self.salvage)

    def work(self, loaded: Picture | Animation, tell: Tell) -> Restored:
        """Restore it."""
        result = self.restore(loaded, tell)
        return Restored(result, round(result.width / loaded.width, 4))

    def writes_apart(self, worked: Restored) -> bool:
        """Whether all of it is restored."""
        return isinstance(worked.result, Picture | Levels)

    def save(self, worked: Restored, target: Path) -> Written:
        """Write the result; see :func:`relume.image.write_image`."""
        write_image(worked.result, target, **self.saving)
        return Written(scale=worked.scale, width=worked.result.width, height=worked.result.height)
