"""NIQE: how far a picture's local statistics are from those of sharp photographs, without its original.

A score means something only beside scores with the same parameters: the statistics of the photographs are
those of whoever collected them. Ours come with relume and are fitted by ``relume data fit-niqe``.

Source: A. Mittal, R. Soundararajan, A. Bovik, "Making a 'completely blind' image quality analyzer", IEEE
Signal Processing Letters 20(3), 2013. Equations below are that paper's. Differences from the authors'
program: products of neighbours do not wrap around at the border of a patch, and the shape of a distribution
is interpolated between table entries.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize
from relume.errors import InputError
from relume.files import replacing
from relume.metrics.window import Array, gaussian, slide

PATCH_PX = 96
"""Side of the patches in the picture; at its half size they have half of it."""

NUM_FEATURES = 36
"""Eighteen numbers a patch (one distribution of 2, four of 4) at each of two sizes."""

SHIPPED = Path(__file__).parent / "niqe.npz"
"""The parameters that come with relume."""

_WINDOW = gaussian(3, sigma=7 / 6)


@dataclass(frozen=True, eq=False)
class NaturalStatistics:
    """The multivariate Gaussian that sharp photographs follow, NIQE's parameters.

    Attributes:
        mean: of the features, 36.
        covariance: of the features, 36 × 36.
        about: what it was fitted on.
    """

    mean: Array
    covariance: Array
    about: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hash of the numbers; scores may be compared where it is equal."""
        return hashlib.sha256(self.mean.tobytes() + self.covariance.tobytes()).hexdigest()

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read parameters.

        Raises:
            InputError: if the file is missing, damaged, or holds something else.
        """
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
                mean, covariance = arrays["mean"].astype(np.float64), arrays["covariance"].astype(np.float64)
                about = json.loads(str(arrays["about"]))
            if (*mean.shape, *covariance.shape) != (NUM_FEATURES,) * 3 or not np.isfinite(covariance).all():
                raise ValueError(f"numbers of shapes {mean.shape} and {covariance.shape}")
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{path} holds no parameters of NIQE",
                got=getattr(error, "strerror", None) or error,
                hint="make them with `relume data fit-niqe`",
            ) from error
        return cls(mean, covariance, about)

    def save(self, path: Path) -> None:
        """Write an ``.npz``.

        Raises:
            OutputError: if it cannot be written.
        """
        about = np.array(json.dumps(self.about, ensure_ascii=False))
        with replacing(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, mean=self.mean, covariance=self.covariance, about=about)


def niqe(picture: NDArray[np.uint8], photographs: NaturalStatistics) -> float:
    """Distance of a picture from sharp photographs (eq. 10); lower is better.

    Args:
        picture: HWC RGB. What is beyond whole patches of 96×96 at the right and lower border is left out.
        photographs: what it is compared with.

    Returns:
        NaN where fewer than two patches have any detail: then there is nothing to measure.
    """
    features, _ = patch_features(picture)
    if len(features) < 2:
        return math.nan
    difference = features.mean(axis=0) - photographs.mean
    pooled = (np.cov(features, rowvar=False) + photographs.covariance) / 2
    return math.sqrt(difference @ np.linalg.pinv(pooled, hermitian=True) @ difference)


def patch_features(picture: NDArray[np.uint8]) -> tuple[Array, Array]:
    """The features of a picture's patches, and how sharp each patch is.

    Args:
        picture: HWC RGB.

    Returns:
        Features, patches × 36, and sharpness (the mean local deviation, eq. 9), one a patch. Patches without
        any detail, such as burnt-out sky, have no distribution to describe and are left out.
    """
    rows, columns = (side // PATCH_PX * PATCH_PX for side in picture.shape[:2])
    if not rows * columns:
        return np.empty((0, NUM_FEATURES)), np.empty(0)
    grey = _grey(picture[:rows, :columns])
    fine, deviation = _normalised(grey)
    coarse, _ = _normalised(imresize(grey, scale=0.5))
    features = np.hstack([_described(_patches(fine, PATCH_PX)), _described(_patches(coarse, PATCH_PX // 2))])
    usable = np.isfinite(features).all(axis=1)
    return features[usable], _patches(deviation, PATCH_PX).mean(axis=(1, 2))[usable]


def normalise(grey: Array) -> Array:
    """Every pixel minus the mean around it, divided by the deviation around it plus 1 (eqs. 1 to 3).

    Args:
        grey: HW in [0, 255].
    """
    return _normalised(grey)[0]


def fit_aggd(samples: Array) -> tuple[Array, Array, Array]:
    """Fit asymmetric generalised Gaussians (eq. 4) by matching moments.

    Args:
        samples: N × anything; each of the N sets is fitted on its own.

    Returns:
        Shape α, left scale β_l and right scale β_r of each set; NaN where a side has no samples.

    Source:
        N.-E. Lasmar, Y. Stitou, Y. Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis",
        ICIP 2009.
    """
    flat = samples.reshape(len(samples), -1)
    squares = flat**2
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt(_mean_where(squares, flat < 0))
        right = np.sqrt(_mean_where(squares, flat > 0))
        skew = left / right
        peak = np.abs(flat).mean(axis=1) ** 2 / squares.mean(axis=1)
        peak *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, ratios = _moment_ratios()
    shape = np.where(np.isfinite(peak), np.interp(peak, ratios, shapes), math.nan)
    spread = np.sqrt(_gamma_ratio(shape, 1, 3))
    return shape, left * spread, right * spread


def _grey(picture: NDArray[np.uint8]) -> Array:
    """Full-range luma of BT.601 in [0, 255], in whole numbers as of an 8-bit file."""
    return np.round(picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114]))


def _normalised(grey: Array) -> tuple[Array, Array]:
    """What :func:`normalise` gives, and the local deviation."""
    around = np.pad(grey, len(_WINDOW) // 2, mode="edge")
    mean = slide(around, _WINDOW)
    deviation = np.sqrt(np.abs(slide(around * around, _WINDOW) - mean * mean))
    return (grey - mean) / (deviation + 1), deviation


def _patches(values: Array, side: int) -> Array:
    """HW -> N × side × side, row by row."""
    rows, columns = (size // side for size in values.shape)
    return values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def _described(patches: Array) -> Array:
    """The eighteen numbers of each patch: of its values, and of the products of neighbours (eqs. 5 to 8)."""
    shape, left, right = fit_aggd(patches)
    numbers = [shape, (left + right) / 2]
    for a, b in (
        (patches[:, :, :-1], patches[:, :, 1:]),
        (patches[:, :-1], patches[:, 1:]),
        (patches[:, :-1, :-1], patches[:, 1:, 1:]),
        (patches[:, :-1, 1:], patches[:, 1:, :-1]),
    ):
        shape, left, right = fit_aggd(a * b)
        numbers += [shape, (right - left) * _gamma_ratio(shape, 2, 1), left, right]
    return np.stack(numbers, axis=1)


def _mean_where(values: Array, chosen: NDArray[np.bool_]) -> Array:
    return np.where(chosen, values, 0).sum(axis=1) / chosen.sum(axis=1)


@lru_cache(maxsize=1)
def _moment_ratios() -> tuple[Array, Array]:
    """Shapes α from 0.2 to 10, and Γ(2/α)² / (Γ(1/α)·Γ(3/α)) of each, which grows with α."""
    shapes = np.arange(200, 10001) / 1000
    return shapes, _gamma_ratio(shapes, 2, 1) * _gamma_ratio(shapes, 2, 3)


def _gamma_ratio(shape: Array, above: int, below: int) -> Array:
    """Γ(above/α) / Γ(below/α)."""
    return np.array([math.exp(math.lgamma(above / a) - math.lgamma(below / a)) for a in shape.tolist()])
