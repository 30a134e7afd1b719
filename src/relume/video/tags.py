"""What a decoded frame says about itself: pixel layout, colour, shape of pixels, rotation, HDR10 data."""

import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from relume.errors import InputError
from relume.video.code_points import MATRIX, name_of
from relume.video.colour import MATRICES, RGB_MATRIX, Coding, Planes

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.video.format import VideoFormat

UNSPECIFIED: Final = 2
"""Code point of "not told" of primaries, transfer and matrix."""

_FULL: Final = 2  # AVCOL_RANGE_JPEG
_HD_HEIGHT: Final = 720
_RATIONAL: Final = struct.Struct("=2i")


@dataclass(frozen=True)
class Colour:
    """Code points of ITU-T H.273; 2 means unspecified.

    Attributes:
        primaries: what red, green and blue are.
        transfer: what levels mean as light.
        matrix: how Y'CbCr is made of R'G'B'.
        range: 1 limited, 2 full, 0 unspecified.
    """

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0


@dataclass(frozen=True)
class Mastering:
    """HDR10: the display a film was mastered on (SMPTE ST 2086) and its light levels (CTA-861.3).

    Attributes:
        primaries: x and y of red, green, blue and white; None if not told.
        luminance: of black and of white in cd/m²; None if not told.
        light: brightest pixel and brightest frame's mean in cd/m²; None if not told.
    """

    primaries: tuple[Fraction, ...] | None = None
    luminance: tuple[Fraction, Fraction] | None = None
    light: tuple[int, int] | None = None


@dataclass(frozen=True)
class Tags:
    """What must be the same in the result.

    Attributes:
        pix_fmt: FFmpeg's name of the pixel layout.
        colour: as the first frame says it.
        sample_aspect_ratio: width of a pixel by its height.
        display_matrix: how players turn or mirror the film; None for not at all.
        mastering: HDR10 data, None if there is none.
    """

    pix_fmt: str
    colour: Colour
    sample_aspect_ratio: Fraction = Fraction(1)
    display_matrix: tuple[int, ...] | None = None
    mastering: Mastering | None = None


def tags_of(frame: "VideoFrame", stream: "VideoStream") -> Tags:
    """The tags of a film, by its first frame: containers say less, and decoders know better."""
    data = _side_data(frame)
    return Tags(
        pix_fmt=frame.format.name,
        colour=Colour(
            int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), int(frame.color_range)
        ),
        sample_aspect_ratio=stream.sample_aspect_ratio or Fraction(1),
        display_matrix=_display_matrix(data.get("DISPLAYMATRIX")),
        mastering=_mastering(data.get("MASTERING_DISPLAY_METADATA"), data.get("CONTENT_LIGHT_LEVEL")),
    )


def _side_data(frame: "VideoFrame") -> dict[str, bytes]:
    """What is attached to a frame; nothing if PyAV does not know a kind of it, such as the EXIF of a JPEG."""
    try:
        attached: Any = frame.side_data
    except ValueError:
        return {}
    return {item.type.name: bytes(item) for item in attached}


def _display_matrix(data: bytes | None) -> tuple[int, ...] | None:
    return struct.unpack("=9i", data[:36]) if data else None


def _mastering(display: bytes | None, light: bytes | None) -> Mastering | None:
    """From FFmpeg's structures: 10 fractions (x, y of R, G, B, white; black, white), 2 flags; 2 counts."""
    if display is None and light is None:
        return None
    found = Mastering(light=struct.unpack("=2I", light[:8]) if light else None)
    if display:
        pairs = [_RATIONAL.unpack_from(display, 8 * place) for place in range(10)]
        values = tuple(Fraction(top, bottom) if bottom else Fraction(0) for top, bottom in pairs)
        has_primaries, has_luminance = struct.unpack_from("=2i", display, 80)
        found = replace(
            found,
            primaries=values[:8] if has_primaries else None,
            luminance=(values[8], values[9]) if has_luminance else None,
        )
    return found


def settled_colour(colour: Colour, height: int, *, rgb: bool) -> Colour:
    """The colour with its matrix made explicit.

    Players guess an untold matrix by the size: BT.601 below 720 rows, BT.709 from there on. As the result is
    larger, its matrix is written down, or players would guess another one.
    """
    if rgb:
        return replace(colour, matrix=RGB_MATRIX, range=_FULL)
    guess = 1 if height >= _HD_HEIGHT else 6
    return replace(
        colour,
        matrix=guess if colour.matrix in {UNSPECIFIED, RGB_MATRIX} else colour.matrix,
        range=colour.range or 1,
    )


def coding_of(pix_fmt: str, colour: Colour) -> Coding:
    """How frames of a planar layout are coded.

    Raises:
        InputError: for a matrix that is none of :data:`relume.video.colour.MATRICES`.
    """
    layout = _layout(pix_fmt)
    if colour.matrix not in {*MATRICES, RGB_MATRIX}:
        raise InputError(
            "the film's colour matrix is not supported",
            got=name_of(MATRIX, colour.matrix),
            allowed=("RGB", "BT.601", "BT.709", "BT.2020", "FCC", "SMPTE 240M"),
            hint="convert it with FFmpeg first",
        )
    grey = len(layout.components) < 3
    return Coding(
        matrix=colour.matrix,
        full=colour.range == _FULL,
        bits=layout.components[0].bits,
        across=1 if grey else -(-64 // layout.chroma_width(64)),
        down=1 if grey else -(-64 // layout.chroma_height(64)),
        grey=grey,
    )


def planar(pix_fmt: str) -> str:
    """The planar, little-endian layout that holds what this layout holds, without alpha.

    Raises:
        InputError: if there is none, as for floating point.
    """
    layout = _layout(pix_fmt)
    bits = layout.components[0].bits
    if not 8 <= bits <= 16 or "f16" in pix_fmt or layout.is_bit_stream:
        raise InputError(f"films of {pix_fmt} pixels are not supported", hint="convert it with FFmpeg first")
    depth = "" if bits == 8 else f"{bits}le"
    if layout.is_rgb or layout.has_palette:
        return f"gbrp{depth}"
    if len(layout.components) < 3:
        return f"gray{depth}"
    share = layout.chroma_width(64), layout.chroma_height(64)
    names = {(64, 64): 444, (32, 64): 422, (32, 32): 420, (16, 64): 411, (64, 32): 440, (16, 16): 410}
    return f"yuv{names[share]}p{depth}"


def planes_of(frame: "VideoFrame") -> Planes:
    """The planes of a planar frame, as views."""
    planes: Planes = []
    for plane in frame.planes:
        deep = frame.format.components[0].bits > 8
        samples: Any = plane
        rows = np.frombuffer(samples, np.uint16 if deep else np.uint8).reshape(plane.height, -1)
        planes.append(rows[:, : plane.width])
    return planes


def frame_of(planes: Planes, pix_fmt: str, colour: Colour) -> "VideoFrame":
    """A frame with these planes and tags."""
    import av

    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for target, plane in zip(planes_of(frame), planes, strict=True):
        target[:] = plane
    tagged: Any = frame
    tagged.color_primaries, tagged.color_trc = colour.primaries, colour.transfer
    tagged.colorspace, tagged.color_range = colour.matrix, colour.range
    return frame


def _layout(pix_fmt: str) -> "VideoFormat":
    from av.video.format import VideoFormat

    return VideoFormat(pix_fmt)
