"""Y'CbCr of any bit depth and subsampling <-> RGB in [0, 1], with the film's own matrix and range."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Planes = list[NDArray[Any]]
"""The planes of a frame: uint8, or uint16 in the low bits; Y, Cb, Cr, or grey alone, or G, B, R."""

MATRICES: Final = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Code point of the matrix (ITU-T H.273, table 4) -> weights of red and blue in luma."""

RGB_MATRIX: Final = 0
"""Code point of "no matrix": the planes are G, B and R."""


@dataclass(frozen=True)
class Coding:
    """How planes mean colour.

    Attributes:
        matrix: a key of :data:`MATRICES`, or :data:`RGB_MATRIX`.
        full: whether levels reach from 0 to the top (``pc``), or leave room at both ends (``tv``).
        bits: of a level.
        across: luma columns per chroma column.
        down: luma rows per chroma row.
        grey: whether there is luma alone.
    """

    matrix: int
    full: bool
    bits: int = 8
    across: int = 1
    down: int = 1
    grey: bool = False

    @property
    def luma(self) -> tuple[float, float]:
        """Level of black, and levels from there to white."""
        unit = 1 << (self.bits - 8)
        return (0.0, (1 << self.bits) - 1.0) if self.full else (16.0 * unit, 219.0 * unit)

    @property
    def chroma(self) -> tuple[float, float]:
        """Level of no colour, and levels from the lowest to the highest."""
        unit = 1 << (self.bits - 8)
        return 128.0 * unit, ((1 << self.bits) - 1.0 if self.full else 224.0 * unit)

    @property
    def weights(self) -> NDArray[np.float32]:
        """Rows: what R, G and B give to Y, Cb and Cr (H.273, equations 38 to 43)."""
        red, blue = MATRICES[self.matrix]
        luma = np.array([red, 1 - red - blue, blue])
        to_blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
        to_red = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
        return np.stack([luma, to_blue, to_red]).astype(np.float32)


def to_rgb(planes: Planes, coding: Coding) -> NDArray[np.float32]:
    """Decode planes.

    Chroma is interpolated linearly from where MPEG-2, H.264 and their heirs put it unless told otherwise: in
    the column of the left luma sample, between rows.

    Returns:
        HWC in [0, 1]; levels beyond black and white are clipped.
    """
    black, reach = coding.luma
    height, width = planes[0].shape
    if coding.matrix == RGB_MATRIX:
        green, blue, red = ((plane.astype(np.float32) - black) / reach for plane in planes)
        return np.clip(np.stack([red, green, blue], axis=-1), 0, 1, dtype=np.float32)
    luma = (planes[0].astype(np.float32) - np.float32(black)) / np.float32(reach)
    if coding.grey:
        return np.repeat(np.clip(luma, 0, 1)[..., None], 3, axis=2)
    zero, span = coding.chroma
    cb, cr = (
        _enlarged((plane.astype(np.float32) - np.float32(zero)) / np.float32(span), height, width, coding)
        for plane in planes[1:3]
    )
    red, blue = MATRICES[coding.matrix]
    rgb = np.empty((height, width, 3), np.float32)
    rgb[..., 0] = luma + cr * np.float32(2 * (1 - red))
    rgb[..., 2] = luma + cb * np.float32(2 * (1 - blue))
    rgb[..., 1] = (luma - red * rgb[..., 0] - blue * rgb[..., 2]) / (1 - red - blue)
    return np.clip(rgb, 0, 1, out=rgb)


def from_rgb(rgb: NDArray[np.float32], coding: Coding) -> Planes:
    """Encode HWC in [0, 1] as planes, rounded half up; chroma is filtered to where :func:`to_rgb` has it."""
    if coding.matrix == RGB_MATRIX:
        return [_levels(rgb[..., channel], *coding.luma, coding.bits) for channel in (1, 2, 0)]
    planes = [_levels(rgb @ coding.weights[0], *coding.luma, coding.bits)]
    if not coding.grey:
        fewer = _mean_of_rows(rgb, coding.down)
        chroma = (_at_every(fewer @ weights, coding.across) for weights in coding.weights[1:])
        planes += [_levels(plane, *coding.chroma, coding.bits) for plane in chroma]
    return planes


def luma_of(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness of HWC in [0, 1], by the weights of BT.709 whatever the film's own are: HW in [0, 1]."""
    return rgb @ Coding(matrix=1, full=True).weights[0]


def _levels(values: NDArray[np.float32], zero: float, span: float, bits: int) -> NDArray[Any]:
    levels = values * np.float32(span)
    levels += np.float32(zero + 0.5)
    np.clip(levels, 0, (1 << bits) - 1, out=levels)
    return levels.astype(np.uint8 if bits == 8 else np.uint16)


def _enlarged(plane: NDArray[np.float32], height: int, width: int, coding: Coding) -> NDArray[np.float32]:
    for axis, length, factor, offset in (
        (0, height, coding.down, 0.5 - 0.5 * coding.down),
        (1, width, coding.across, 0.0),
    ):
        if factor > 1:
            at = np.clip((np.arange(length) + offset) / factor, 0, plane.shape[axis] - 1)
            first = np.floor(at).astype(int)
            second = np.minimum(first + 1, plane.shape[axis] - 1)
            part = np.expand_dims((at - first).astype(np.float32), 1 - axis)
            near, far = (plane.take(places, axis) for places in (first, second))
            plane = np.asarray(near + (far - near) * part, np.float32)
    return plane


def _mean_of_rows(rgb: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """The mean of every ``factor`` rows; below the last one it is repeated."""
    if factor == 1:
        return rgb
    missing = -len(rgb) % factor
    whole = np.concatenate([rgb, *[rgb[-1:]] * missing]) if missing else rgb
    mean = sum((whole[at::factor] for at in range(1, factor)), start=whole[::factor])
    mean /= np.float32(factor)
    return mean


def _at_every(plane: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Every ``factor``-th column, as the mean under a triangle around it; borders are repeated."""
    if factor == 1:
        return plane
    count = -(-plane.shape[1] // factor)
    padded = np.pad(plane, ((0, 0), (factor - 1, factor)), "edge")
    result = np.zeros((len(plane), count), np.float32)
    for at in range(1 - factor, factor):
        weight = np.float32((factor - abs(at)) / factor**2)
        result += padded[:, factor - 1 + at :: factor][:, :count] * weight
    return result
