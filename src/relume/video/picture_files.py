"""Films whose frames are picture files with numbers in their names."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from relume.errors import InputError
from relume.image import Picture, read_picture
from relume.video.colour import from_rgb
from relume.video.film import WHOLE, Excerpt, Film, FilmInfo, Frame
from relume.video.tags import Colour, Tags, coding_of, frame_of, settled_colour

_NUMBER: Final = re.compile(r"%0?(\d*)d")
_SRGB: Final = Colour(primaries=1, transfer=13)


def is_numbered(name: str | Path) -> bool:
    """Whether a name is a pattern such as ``%05d.png``."""
    return len(_NUMBER.findall(Path(name).name)) == 1


def numbered(pattern: Path, number: int) -> Path:
    """The file that a pattern means by a number."""
    digits = _NUMBER.search(pattern.name)
    assert digits
    width = int(digits[1] or 0)
    return pattern.with_name(pattern.name.replace(digits[0], f"{number:0{width}d}"))


def find_numbered(pattern: Path) -> list[Path]:
    """The files of a pattern from the lowest number on.

    Raises:
        InputError: if there is none, or a number between them is missing.
    """
    before, after = _NUMBER.split(pattern.name)[::2]
    name = re.compile(f"{re.escape(before)}(\\d+){re.escape(after)}")
    names = [path.name for path in pattern.parent.iterdir()] if pattern.parent.is_dir() else []
    numbers = sorted(int(match[1]) for match in map(name.fullmatch, names) if match)
    paths = [numbered(pattern, number) for number in numbers]
    if not paths:
        raise InputError(f"no file matches {pattern}")
    missing = next((path for path in _between(pattern, numbers) if not path.is_file()), None)
    if missing:
        raise InputError(
            f"a frame is missing: {missing}",
            got=f"{len(paths)} from {paths[0].name} to {paths[-1].name}",
            hint="give the folder with --fps to take its pictures one after the other",
        )
    return paths


def _between(pattern: Path, numbers: Sequence[int]) -> Iterator[Path]:
    return (numbered(pattern, number) for number in range(numbers[0], numbers[-1] + 1))


class PictureFilm(Film):
    """A film of pictures, one after the other; transparency is left out.

    Args:
        paths: the pictures in order.
        rate: frames per second.

    Raises:
        InputError: if the first cannot be read.
    """

    def __init__(self, paths: Sequence[Path], rate: Fraction):
        first = read_picture(paths[0])
        pix_fmt = ("gray" if first.grey else "gbrp") + ("16le" if first.bits == 16 else "")
        colour = Colour(_SRGB.primaries, _SRGB.transfer, 1, 2)
        info = FilmInfo(
            width=first.width,
            height=first.height,
            time_base=1 / rate,
            rate=rate,
            num_frames=len(paths),
            codec=first.format.lower(),
            tags=Tags(pix_fmt, _SRGB),
            colour=settled_colour(colour, first.height, rgb=not first.grey),
            pix_fmt=pix_fmt,
        )
        super().__init__(info)
        self._paths = paths
        self._coding = coding_of(pix_fmt, info.colour)

    def frames(self, excerpt: Excerpt = WHOLE) -> Iterator[Frame]:
        """See :meth:`relume.video.film.Film.frames`.

        Raises:
            InputError: if a picture cannot be read.
        """
        for number, path in enumerate(self._paths):
            if excerpt.holds(number / self.info.rate):
                yield self._frame(number, read_picture(path))

    def frame_at(self, seconds: Fraction) -> Frame | None:
        """See :meth:`relume.video.film.Film.frame_at`."""
        number = -int(-seconds * self.info.rate // 1)
        return self._frame(number, read_picture(self._paths[number])) if number < len(self._paths) else None

    def _frame(self, number: int, picture: Picture) -> Frame:
        planes = from_rgb(picture.pixels, self._coding)
        return Frame(frame_of(planes, self.info.pix_fmt, self.info.colour), number, 1)
