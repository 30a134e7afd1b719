"""Fit the parameters of NIQE on sharp photographs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relume.data.pictures import find_pictures
from relume.errors import InputError
from relume.image import read_picture
from relume.metrics.niqe import NUM_FEATURES, PATCH_PX, NaturalStatistics, patch_features
from relume.metrics.protocol import to_uint8
from relume.metrics.window import Array

SHARPEST = 0.75
"""Of a picture's patches, those count whose sharpness exceeds this share of the sharpest patch's."""

FEWEST_PATCHES = 10 * NUM_FEATURES
"""Fewer patches do not settle a covariance of 36 × 36."""


@dataclass(frozen=True)
class NiqeFit:
    """The outcome of a fit.

    Attributes:
        statistics: the parameters.
        skipped: pictures that were not used, with the reason.
    """

    statistics: NaturalStatistics
    skipped: dict[str, str]


def fit_niqe(
    sources: Iterable[str | Path],
    *,
    licences: Sequence[str] = (),
    progress: Callable[[int, int, str], None] | None = None,
) -> NiqeFit:
    """Fit NIQE's Gaussian on the sharp patches of photographs; section II.C of the paper.

    Args:
        sources: folders, pictures and lists, see :func:`relume.data.pictures.find_pictures`.
        licences: terms of the photographs, kept with the numbers.
        progress: called after every picture with the number done, the number to do, and its name.

    Raises:
        InputError: if a source is missing, or there are too few sharp patches.
    """
    paths = find_pictures(sources)
    skipped: dict[str, str] = {}
    found: list[Array] = []
    for done, path in enumerate(paths, start=1):
        try:
            found.append(sharp_features(path))
        except InputError as error:
            skipped[str(path)] = str(error)
        if progress:
            progress(done, len(paths), path.name)
    features = np.concatenate([np.empty((0, NUM_FEATURES)), *found])
    if len(features) < FEWEST_PATCHES:
        raise InputError(
            f"{len(paths)} pictures have too few sharp patches of {PATCH_PX}×{PATCH_PX} to fit NIQE on",
            got=len(features),
            allowed=f"{FEWEST_PATCHES} or more",
        )
    about = {
        "num_pictures": len(found),
        "num_patches": len(features),
        "patch_px": PATCH_PX,
        "sharpest": SHARPEST,
        "licences": list(licences),
    }
    return NiqeFit(NaturalStatistics(features.mean(axis=0), np.cov(features, rowvar=False), about), skipped)


def sharp_features(path: Path) -> Array:
    """The features of a photograph's sharp patches, patches × 36.

    Raises:
        InputError: if the picture cannot be read or has no patch with detail.
    """
    features, sharpness = patch_features(to_uint8(read_picture(path).pixels))
    if not len(features):
        raise InputError(f"{path} has no patch of {PATCH_PX}×{PATCH_PX} with detail")
    return features[sharpness > SHARPEST * sharpness.max()]
