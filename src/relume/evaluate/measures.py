"""The measures beside PSNR and SSIM: each gives a restored picture one number or more, by one fixed rule.

PSNR and SSIM follow the protocol that is asked for and are always measured, since they tell whether the
evaluation itself is right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.errors import UsageError
from relume.evaluate.columns import PSNR, SSIM, Column
from relume.metrics.checkerboard import checkerboard, period_of
from relume.metrics.consistency import colour_drift, consistency
from relume.metrics.niqe import PATCH_PX, SHIPPED, NaturalStatistics, niqe


@dataclass(frozen=True, eq=False)
class Restored:
    """What a measure may look at; pictures are uint8 HWC RGB.

    Attributes:
        sr: the restored picture.
        hq: its target.
        lq: what it was restored from.
        scale: output pixels per input pixel and side.
    """

    sr: NDArray[np.uint8]
    hq: NDArray[np.uint8]
    lq: NDArray[np.uint8]
    scale: int


@dataclass(frozen=True, eq=False)
class Measure:
    """A way to judge a restored picture.

    Attributes:
        name: what it is chosen by.
        columns: what it gives.
        values: the numbers, one a column.
        blind: whether it looks at the result alone, so that targets can be judged by it too.
    """

    name: str
    columns: tuple[Column, ...]
    values: Callable[[Restored], Sequence[float]]
    blind: bool = False


def _niqe(parameters: Path = SHIPPED) -> Measure:
    photographs = NaturalStatistics.load(parameters)
    column = Column(
        key="niqe",
        title="NIQE",
        better="lower",
        digits=2,
        note=f"no target needed; grey, whole patches of {PATCH_PX}×{PATCH_PX}, at least two; parameters "
        f"{photographs.digest[:8]} from {photographs.about.get('num_patches')} sharp patches of "
        f"{photographs.about.get('num_pictures')} photographs: compare only with the same",
    )
    return Measure("niqe", (column,), lambda seen: [niqe(seen.sr, photographs)], blind=True)


def _consistency() -> Measure:
    column = Column(
        key="consistency",
        title="consistency dB",
        better="higher",
        digits=2,
        note="PSNR over R, G and B of the result, shrunk by MATLAB's bicubic to 8 bits, against the input",
    )
    return Measure("consistency", (column,), lambda seen: [consistency(seen.sr, seen.lq, seen.scale)])


def _drift() -> Measure:
    columns = tuple(
        Column(
            key=f"drift_{letter}",
            title=f"drift {letter.upper()}",
            better="nearer zero",
            digits=2,
            note="mean of (result shrunk by MATLAB's bicubic − input) over a channel, in levels of 255",
        )
        for letter in "rgb"
    )
    return Measure("drift", columns, lambda seen: colour_drift(seen.sr, seen.lq, seen.scale))


def _checkerboard() -> Measure:
    column = Column(
        key="checkerboard",
        title="checkerboard",
        better="lower",
        digits=2,
        note="root mean square, in levels of 255, of a pattern whose period is the scale, or 4 px at scale 1",
    )
    return Measure(
        "checkerboard", (column,), lambda seen: [checkerboard(seen.sr, period_of(seen.scale))], blind=True
    )


def _vgg19() -> Measure:
    from relume.evaluate.vgg19 import FeatureDistance

    distance = FeatureDistance()
    column = Column(key="vgg19", title="VGG19", better="lower", digits=4, note=distance.note)
    return Measure("vgg19", (column,), lambda seen: [distance(seen.sr, seen.hq)])


def _lpips() -> Measure:
    from relume.evaluate.lpips import PerceptualDistance

    distance = PerceptualDistance()
    column = Column(key="lpips", title="LPIPS", better="lower", digits=4, note=distance.note)
    return Measure("lpips", (column,), lambda seen: [distance(seen.sr, seen.hq)])


OPENERS: dict[str, Callable[[], Measure]] = {
    "niqe": _niqe,
    "consistency": _consistency,
    "drift": _drift,
    "checkerboard": _checkerboard,
    "vgg19": _vgg19,
    "lpips": _lpips,
}

PROTOCOL_COLUMNS = {column.key: column for column in (PSNR, SSIM)}
"""Measures that the protocols define."""

NAMES = (*PROTOCOL_COLUMNS, *OPENERS)
"""All measures."""

DEFAULT = ("psnr", "ssim")
"""What is shown when nothing is asked."""

CHEAP = ("psnr", "ssim", "niqe", "consistency", "drift", "checkerboard")
"""Those that need nothing but NumPy and a fraction of a second a picture."""


def open_measures(names: Sequence[str], scale: int, niqe_parameters: Path = SHIPPED) -> list[Measure]:
    """Load what the measures need; names of protocol columns are passed over.

    Args:
        names: some of :data:`NAMES`.
        scale: output pixels per input pixel and side.
        niqe_parameters: of NIQE, from ``relume data fit-niqe``; by default those that come with relume.

    Raises:
        UsageError: for an unknown measure, one that says nothing at this scale, or a missing package.
        InputError: if parameters or weights are missing.
    """
    for name in names:
        if name not in NAMES:
            hint = "flicker is a measure of clips, and is asked for alone"
            raise UsageError("unknown measure", got=name, allowed=NAMES, hint=hint)
    if scale == 1 and "consistency" in names:
        raise UsageError(
            "consistency compares with an input that was made small",
            got="scale 1",
            hint="drift tells whether colours move",
        )
    openers = OPENERS | {"niqe": partial(_niqe, niqe_parameters)}
    return [openers[name]() for name in openers if name in names]


def cheap_measures(scale: int) -> tuple[str, ...]:
    """What costs little and says something at this scale."""
    return tuple(name for name in CHEAP if scale > 1 or name != "consistency")
