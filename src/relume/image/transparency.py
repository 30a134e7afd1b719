"""Colour where a picture is transparent: made up on reading, or laid over a background."""

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from relume.errors import UsageError

_TINY = np.finfo(np.float32).tiny


def fill_transparent(pixels: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Continue the visible colour into the fully transparent parts.

    Files hold any colour there, mostly black or white; a network or a resizer mixes it into the border of
    what is visible. Push–pull on a pyramid: each coarser level holds the mean colour of 2 × 2 pixels,
    weighted by alpha; going back, what is still empty is interpolated bilinearly from the coarser level.
    Pixels with alpha above 0 keep their colour exactly; a picture with nothing visible stays as it is.

    Args:
        pixels: HWC, any number of channels; changed in place.
        alpha: HW, [0, 1].

    Returns:
        ``pixels``.

    Source:
        S. Gortler, R. Grzeszczuk, R. Szeliski, M. Cohen, "The Lumigraph", SIGGRAPH 1996, section 3.4.
    """
    empty = alpha <= 0
    if not empty.any() or empty.all():
        return pixels
    weights = [_halve(alpha)]
    while not weights[-1].all():
        weights.append(_halve(weights[-1]))
    for channel in range(pixels.shape[2]):  # one by one: numpy is several times faster on planes
        plane = pixels[..., channel]
        np.copyto(plane, _double(_complete(_halve(plane * alpha), weights), alpha.shape), where=empty)
    return pixels


def flatten(
    pixels: NDArray[np.float32], alpha: NDArray[np.float32], background: str | tuple[int, int, int]
) -> NDArray[np.float32]:
    """Lay a picture over a background colour, as browsers do (on the encoded values, not on linear light).

    Args:
        pixels: HWC RGB.
        alpha: HW.
        background: as Pillow names colours: ``"white"``, ``"#204060"``, ``(32, 64, 96)``.

    Raises:
        UsageError: if the colour is not known.
    """
    over = np.divide(_rgb(background), 255, dtype=np.float32)
    return over + (pixels - over) * alpha[..., None]


def _rgb(colour: str | tuple[int, int, int]) -> tuple[int, ...]:
    if not isinstance(colour, str):
        return colour
    try:
        return ImageColor.getrgb(colour)[:3]
    except ValueError as error:
        raise UsageError("unknown background colour", got=colour, allowed="white, black, #rrggbb") from error


def _complete(sums: NDArray[np.float32], weights: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Colour everywhere on one level, from sums of weighted colour there and of weights there and coarser."""
    colour = np.divide(sums, np.maximum(weights[0], _TINY), dtype=np.float32)
    if len(weights) > 1:
        guess = _double(_complete(_halve(sums), weights[1:]), sums.shape)
        np.copyto(colour, guess, where=weights[0] <= 0)
    return colour


def _halve(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over 2 × 2 pixels; beyond an odd side there is nothing."""
    height, width = values.shape
    rows = values[::2].copy()
    rows[: height // 2] += values[1::2]
    sums = rows[:, ::2].copy()
    sums[:, : width // 2] += rows[:, 1::2]
    return sums


def _double(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Twice the size by bilinear interpolation, cut to ``shape``."""
    height, width = shape
    return _double_rows(_double_rows(values).T).T[:height, :width]


def _double_rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    near, far = values * np.float32(0.75), values * np.float32(0.25)
    doubled = np.empty_like(values, shape=(2 * len(values), values.shape[1]))
    doubled[::2] = near
    doubled[1::2] = near
    doubled[2::2] += far[:-1]
    doubled[1:-1:2] += far[1:]
    doubled[0] += far[0]
    doubled[-1] += far[-1]
    return doubled
