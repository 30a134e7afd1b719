"""What is settled before the first frame: size, codec, container, tiles."""

import math
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Final, Self

from relume.card import ModelCard
from relume.engine.memory import tile_shape
from relume.engine.restore import target_size
from relume.errors import UsageError
from relume.machine import num_threads
from relume.video.codecs import CODECS, DEFAULT_CODEC, UNCODED, Encoding, choose_encoding
from relume.video.colour import RGB_MATRIX
from relume.video.film import WHOLE, Excerpt, FilmInfo
from relume.video.interlace import Deinterlace
from relume.video.segments import Pictures
from relume.video.tags import Colour, coding_of, settled_colour

SHORTEST: Final = 24
"""A cut ends a segment that has this many frames."""

LONGEST: Final = 96
"""Frames of a segment at most: what can be lost to a power cut."""

_X265_BLOCK_PX: Final = 64


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a film is restored to.

    Attributes:
        scale: size of the result relative to the film; by default the model's scale.
        width: columns of the result; without ``height`` the shape is kept.
        height: rows of the result; without ``width`` the shape is kept.
        excerpt: the part that is wanted.
        codec: a key of :data:`relume.video.codecs.CODECS` or ``UNCODED``.
        crf: quality; None for the codec's default.
        preset: effort; None for the codec's default.
        pix_fmt: pixel layout; None for what keeps most of the film's.
        tile: side of the tiles in pixels of the film; 0 chooses by the free memory.
        strength: that the model was opened with.
        ensemble: see :class:`relume.model.Treatment`.
        lock_colours: see there.
        consistent: see there.
        deinterlace: what is done to interlaced frames.
        shortest: see :data:`SHORTEST`.
        longest: see :data:`LONGEST`.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    excerpt: Excerpt = WHOLE
    codec: str = DEFAULT_CODEC
    crf: float | None = None
    preset: str | None = None
    pix_fmt: str | None = None
    tile: int = 0
    strength: float = 1.0
    ensemble: bool = False
    lock_colours: bool | None = None
    consistent: bool = False
    deinterlace: Deinterlace = "auto"
    shortest: int = SHORTEST
    longest: int = LONGEST


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a film is restored.

    Attributes:
        pictures: how they are written.
        tile: side of the tiles in pixels of the film.
    """

    pictures: Pictures
    tile: int

    def as_begun(self, job: dict[str, Any]) -> Self:
        """The plan with what an earlier run chose by the machine's state then, which bytes depend on."""
        encoding = replace(self.pictures.encoding, threads=job["encoding"]["threads"])
        return replace(self, pictures=replace(self.pictures, encoding=encoding), tile=job["tile"])

    def described(self, wishes: Wishes) -> dict[str, Any]:
        """What the bytes of segments depend on, besides film and model, for the journal."""
        return {
            "size": f"{self.pictures.width}x{self.pictures.height}",
            "tile": self.tile,
            "encoding": asdict(self.pictures.encoding),
            "treatment": {
                "strength": wishes.strength,
                "tta": wishes.ensemble,
                "lock-colours": wishes.lock_colours,
                "consistent": wishes.consistent,
                "deinterlace": wishes.deinterlace,
            },
            "start": _seconds(wishes.excerpt.start),
            "end": None if wishes.excerpt.end is None else _seconds(wishes.excerpt.end),
            "segment": f"{wishes.shortest}-{wishes.longest}",
        }


def _seconds(time: Fraction) -> str:
    """As a decimal fraction where that is exact."""
    decimal = f"{float(time):.12g}"
    return f"{decimal if Fraction(decimal) == time else time} s"


def make_plan(info: FilmInfo, card: ModelCard, wishes: Wishes) -> Plan:
    """Settle size, encoding and tiles.

    Raises:
        UsageError: if a wish cannot be fulfilled.
        OutOfMemory: if a restored frame does not fit into memory.
    """
    height, width = target_size(
        info.height, info.width, card.scale, wishes.scale, wishes.width, wishes.height
    )
    encoding = choose_encoding(
        info.pix_fmt,
        codec=wishes.codec,
        crf=wishes.crf,
        preset=wishes.preset,
        pix_fmt=wishes.pix_fmt,
        threads=num_threads(),
    )
    _refuse_fast(info.rate, encoding.codec)
    colour = _result_colour(info, encoding.pix_fmt)
    _refuse_uneven(width, height, encoding, colour)
    return Plan(
        pictures=Pictures(
            width=width,
            height=height,
            rate=info.rate,
            sample_aspect_ratio=_pixel_shape(info, width, height, wishes),
            colour=colour,
            mastering=info.tags.mastering,
            encoding=encoding,
        ),
        tile=wishes.tile or _tile(card, info),
    )


def _tile(card: ModelCard, info: FilmInfo) -> int:
    """The side of the largest tiles that fit into memory: the whole frame's longer one if that does."""
    height, width = tile_shape(card, info.height, info.width)
    whole = height >= info.height and width >= info.width
    return max(info.height, info.width) if whole else math.isqrt(height * width)


def _result_colour(info: FilmInfo, pix_fmt: str) -> Colour:
    """The colour tags of the result: the film's, but BT.709 where RGB must become Y'CbCr."""
    rgb = pix_fmt.startswith("gbr")
    was_rgb = info.colour.matrix == RGB_MATRIX
    if rgb == was_rgb:
        return info.colour
    if rgb:
        return settled_colour(info.colour, info.height, rgb=True)
    return Colour(info.colour.primaries, info.colour.transfer, 1, 1)


def _refuse_fast(rate: Fraction, codec: str) -> None:
    most = (CODECS | UNCODED)[codec].most_fps
    if rate > most:
        able = [name for name, known in CODECS.items() if rate <= known.most_fps]
        raise UsageError(
            f"{codec} cannot hold so many frames a second",
            got=f"{float(rate):g}",
            allowed=f"up to {most:g}",
            hint=f"choose --codec {', '.join(able[:-1])} or {able[-1]}",
        )


def _refuse_uneven(width: int, height: int, encoding: Encoding, colour: Colour) -> None:
    """x264 and x265 want whole chroma samples, and x265 writes beyond its memory below its block size."""
    layout = coding_of(encoding.pix_fmt, colour)
    if encoding.codec in {"x264", "x265"} and (width % layout.across or height % layout.down):
        raise UsageError(
            f"{encoding.codec} cannot write {width} × {height} pixels as {encoding.pix_fmt}",
            hint="choose an even --width and --height, another --codec, or --pix-fmt yuv444p",
        )
    if encoding.codec == "x265" and min(width, height) < _X265_BLOCK_PX:
        raise UsageError(
            f"x265 cannot write {width} × {height} pixels",
            allowed=f"{_X265_BLOCK_PX} or more on each side",
            hint="choose another --codec",
        )


def _pixel_shape(info: FilmInfo, width: int, height: int, wishes: Wishes) -> Fraction:
    """The film's, unless both sides were asked: then what keeps the shape of the picture."""
    shape = info.tags.sample_aspect_ratio
    if wishes.width is None or wishes.height is None:
        return shape
    return (shape * Fraction(info.width * height, info.height * width)).limit_denominator(10_000)
