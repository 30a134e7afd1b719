"""The picture that relume works on, and how it is made from what a file holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from relume.image.colour import fitting_profile
from relume.image.exif import orientation, upright
from relume.image.levels import to_float
from relume.image.transparency import fill_transparent
from relume.image.xmp import upright_xmp

_HIGHEST_DPI = 65535


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What stands beside the pixels and is written back where the target format can hold it.

    Attributes:
        exif: the EXIF block, from its byte-order mark on (no ``Exif`` prefix).
        icc: the colour profile; a grey one on grey pictures, an RGB one on all others.
        xmp: the XMP packet.
        iptc: the records of IPTC's Information Interchange Model.
        dpi: horizontal and vertical resolution in pixels per inch.
        text: text chunks of a PNG by keyword; a comment in a JPEG or GIF has the keyword ``Comment``.
    """

    exif: bytes | None = field(default=None, repr=False)
    icc: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    iptc: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict[str, str])

    def metadata(self) -> "Metadata":
        """The same without pixels."""
        return Metadata(**{known.name: getattr(self, known.name) for known in fields(Metadata)})


@dataclass(frozen=True)
class Picture(Metadata):
    """A picture, upright, with what must survive from file to file.

    Attributes:
        pixels: float32 HWC, RGB, [0, 1]; grey pictures carry three equal channels. Where ``alpha`` is 0 the
            colour is a smooth continuation of the visible colour nearby, so that a network or a resizer
            that looks across the border of a cut-out sees no fringe.
        alpha: float32 HW, [0, 1]; None for opaque pictures. Colour is not multiplied by it.
        grey: whether the picture is written back with one channel.
        bits: 8 or 16 bits a channel in the file.
        format: ``PNG``, ``JPEG``, ``WEBP``, ``TIFF``, ``BMP``, ``AVIF`` or ``GIF``.
        invented: float32 HW, [0, 1]: a map of where a result departs from what its input determines, see
            :func:`relume.fidelity.invented.departure`; None unless it was asked for.
    """

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None = None
    grey: bool = False
    bits: int = 8
    format: str = "PNG"
    invented: NDArray[np.float32] | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.shape[1]

    def replace(self, **changes: Any) -> Self:
        """A copy with other pixels, alpha or whatever else is named."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Levels(Metadata):
    """A picture as it is written: opaque, in colour, with 8 bits a channel. Nothing is done to it any more.

    Attributes:
        levels: uint8 HWC, RGB.
    """

    levels: NDArray[np.uint8]

    @property
    def height(self) -> int:
        """Rows."""
        return self.levels.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.levels.shape[1]


@dataclass(frozen=True)
class Strips:
    """A picture that is made, from top to bottom, while it is written: larger than the memory.

    Attributes:
        height: rows.
        width: columns.
        parts: pictures of this width, ``height`` rows together; the first has the metadata of all.
        small: what it looks like, in few pixels, for a thumbnail; None: it gets none.
    """

    height: int
    width: int
    parts: Iterator[Picture | Levels]
    small: Picture | None = None


def picture_from(levels: NDArray[Any], metadata: Metadata, format: str) -> Picture:
    """Make a picture of what a decoder, PIL or NumPy gives; pixels stay in the order they have.

    Args:
        levels: HWC with grey, grey + alpha, RGB or RGBA channels; uint8, uint16 or floating point in [0, 1].
        metadata: what came with them.
        format: what the file was, see :class:`Picture`.
    """
    channels = levels.shape[2]
    colour, alpha = (levels, None) if channels % 2 else (levels[..., :-1], to_float(levels[..., -1]))
    pixels = to_float(colour)
    if alpha is not None:
        pixels = fill_transparent(pixels, alpha)
    grey = channels <= 2
    return Picture(
        pixels=np.repeat(pixels, 3, axis=2) if grey else pixels,
        alpha=alpha,
        grey=grey,
        bits=16 if levels.dtype == np.uint16 else 8,
        format=format,
        **vars(replace(metadata, icc=fitting_profile(metadata.icc, grey), dpi=_plausible(metadata.dpi))),
    )


def _plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """The resolution if every format can hold it."""
    if dpi is None or not all(1 <= side <= _HIGHEST_DPI for side in dpi):
        return None
    return float(dpi[0]), float(dpi[1])


def turned_upright(levels: NDArray[Any], metadata: Metadata) -> tuple[NDArray[Any], Metadata]:
    """Apply the EXIF orientation to HWC ``levels``, and note in EXIF and XMP that it is done."""
    turn = turn_of(metadata)
    if turn >= 5:
        levels = levels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        levels = levels[::-1]
    if turn in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    return levels, upright_metadata(metadata)


def turn_of(metadata: Metadata) -> int:
    """The EXIF orientation, 1 to 8."""
    return 1 if metadata.exif is None else orientation(metadata.exif)


def upright_metadata(metadata: Metadata) -> Metadata:
    """The metadata with orientation 1, for a picture that was turned upright."""
    turn = turn_of(metadata)
    if turn == 1 or metadata.exif is None:
        return metadata
    return replace(
        metadata,
        exif=upright(metadata.exif),
        xmp=metadata.xmp and upright_xmp(metadata.xmp),
        dpi=metadata.dpi[::-1] if metadata.dpi and turn >= 5 else metadata.dpi,
    )
