"""Proof that a restored film is the original with better pictures, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np

from relume.engine.restore import resize
from relume.metrics.flicker import flicker
from relume.metrics.psnr import psnr
from relume.video.checks import Check, compare, shifted
from relume.video.code_points import MATRIX, PRIMARIES, RANGE, TRANSFER, name_of
from relume.video.colour import luma_of
from relume.video.decoding import open_film
from relume.video.film import WHOLE, Excerpt, Film, Frame
from relume.video.interlace import Deinterlace
from relume.video.streams import compare_streams
from relume.video.tags import UNSPECIFIED, Mastering, coding_of

LEAST_CONSISTENCY_DB: Final = 24.0
"""A frame that is another one, or has other colours, is below this; adversarial models are near 30."""

FLICKER_MARGIN: Final = 0.25
"""Levels of 8 bits that static regions, made small again, may change more than the original's.

Restoring adds nothing there; AV1 with its defaults was measured to add up to 0.07, and with quicker presets
0.5.
"""

_SAMPLES: Final = 8
_COLOUR_NAMES: Final = {"primaries": PRIMARIES, "transfer": TRANSFER, "matrix": MATRIX, "range": RANGE}


def verify(
    original: Path, result: Path, excerpt: Excerpt = WHOLE, deinterlace: Deinterlace = "auto"
) -> list[Check]:
    """Compare a restored film with its original; both are decoded from end to end.

    Args:
        original: what was restored.
        result: what came out.
        excerpt: the part of the original that was restored.
        deinterlace: what was asked then.

    Raises:
        InputError: if one of them is no film that can be read.
    """
    with open_film(original, deinterlace) as before, open_film(result, "off") as after:
        seen = _Seen(before, after, excerpt)
        checks = [*seen.checks(), *_compare_pictures(before, after)]
    return [*checks, *compare_streams(original, result, excerpt, seen.origin)]


class _Seen:
    """What two films that run side by side show.

    Attributes:
        origin: time of the original's first frame where the result begins at zero, or else 0.
    """

    def __init__(self, before: Film, after: Film, excerpt: Excerpt):
        self.origin = Fraction(0)
        self._films = before, after
        self._whole = excerpt.whole
        self._counts = [0, 0]
        self._shift = Fraction(0)
        self._consistency: list[float] = []
        self._flicker: list[tuple[float, float, float]] = []
        self._last: tuple[Frame, Frame] | None = None
        step = max(2, (after.info.num_frames or before.info.num_frames) // _SAMPLES)
        pairs = zip_longest(before.frames(excerpt), after.frames())
        for number, (lq, sr) in enumerate(pairs):
            self._counts[0] += lq is not None
            self._counts[1] += sr is not None
            if lq is None or sr is None:
                continue
            if not excerpt.whole and not number:
                self.origin = lq.pts * before.info.time_base
            self._look(lq, sr, step and number % step)

    def _look(self, lq: Frame, sr: Frame, phase: int) -> None:
        before, after = self._films
        shift = lq.pts * before.info.time_base - self.origin - sr.pts * after.info.time_base
        self._shift = max(self._shift, abs(shift))
        if phase == 0:
            rgb = before.info.rgb(lq)
            self._consistency.append(psnr(resize(after.info.rgb(sr), *rgb.shape[:2]), rgb, peak=1))
        if phase == 1 and self._last:
            pairs = self._last, (lq, sr)
            old, new = ((luma_of(before.info.rgb(a)), luma_of(after.info.rgb(b))) for a, b in pairs)
            small = [resize(luma[1][..., None], *luma[0].shape)[..., 0] for luma in (old, new)]
            was, large = flicker(old[0], new[0], old[1], new[1])
            self._flicker.append((was, flicker(old[0], new[0], *small)[1], large))
        self._last = lq, sr

    def checks(self) -> Iterator[Check]:
        """What became of the promises."""
        yield self._frames()
        yield shifted("times", self._shift)
        least = min(self._consistency, default=0.0)
        mean = float(np.mean(self._consistency)) if self._consistency else 0.0
        yield Check(
            "consistency",
            least >= LEAST_CONSISTENCY_DB,
            f"{len(self._consistency)} frames made small again: {mean:.1f} dB, at least {least:.1f}",
        )
        still = [pair for pair in self._flicker if not np.isnan(pair[0])]
        was, now, large = np.mean(still, axis=0) if still else (0.0, 0.0, 0.0)
        found = f"{now:.2f} levels where nothing moves, {was:.2f} before; {large:.2f} with all details"
        yield Check("flicker", bool(now <= was + FLICKER_MARGIN), found)

    def _frames(self) -> Check:
        before, after = self._counts
        check = compare("frames", before, after)
        if after < before and self._whole:
            return replace(check, found=f"{check.found}; was it an excerpt? give --start and --end as then")
        return check


def _compare_pictures(before: Film, after: Film) -> Iterator[Check]:
    """What the first frames tell of themselves."""
    old, new = before.info, after.info
    bits = [coding_of(info.pix_fmt, info.colour).bits for info in (old, new)]
    factor = new.width / old.width, new.height / old.height
    yield Check("size", True, f"{old.width}×{old.height} → {new.width}×{new.height}")
    yield Check("depth", bits[1] >= bits[0], f"{bits[0]} → {bits[1]} bits")
    shapes = [float(info.tags.sample_aspect_ratio) * info.width / info.height for info in (old, new)]
    tolerance = 1 / min(new.width, new.height) + 0.001
    yield Check(
        "shape",
        abs(shapes[1] / shapes[0] - 1) <= tolerance,
        f"pixels {old.tags.sample_aspect_ratio} → {new.tags.sample_aspect_ratio}, "
        f"{factor[0]:.4g} × {factor[1]:.4g} times as many",
    )
    yield compare("rotation", old.tags.display_matrix, new.tags.display_matrix, show=_turn)
    yield _colour(before, after)
    yield compare("HDR10", _rounded(old.tags.mastering), _rounded(new.tags.mastering), show=_told)


def _colour(before: Film, after: Film) -> Check:
    """What the original tells, the result must tell too; and what both mean must be the same."""
    old, new = before.info.tags.colour, after.info.tags.colour
    pairs = (old.primaries, new.primaries), (old.transfer, new.transfer)
    kept = all(was in {UNSPECIFIED, now} for was, now in pairs)
    meant, means = before.info.colour, after.info.colour
    if meant.matrix and means.matrix:  # neither is RGB
        kept &= (meant.matrix, meant.range) == (new.matrix, means.range)
    found = (
        _change(name, name_of(names, getattr(old, name)), name_of(names, getattr(new, name)))
        for name, names in _COLOUR_NAMES.items()
    )
    return Check("colour", kept, ", ".join(found))


def _change(name: str, was: str, now: str) -> str:
    return f"{name} {was}" if was == now else f"{name} {was} → {now}"


def _turn(matrix: Any) -> str:
    return "none" if matrix is None else f"matrix {' '.join(str(value) for value in matrix)}"


def _told(mastering: Any) -> str:
    return "none" if mastering is None else str(mastering)


def _rounded(mastering: Mastering | None) -> tuple[Any, ...] | None:
    """As the codecs' own units have it: 1/50000 of chromaticity, 1/100 cd/m² near black and 1 at the peak."""
    if mastering is None:
        return None
    points = tuple(round(float(value), 3) for value in mastering.primaries or ())
    black, peak = mastering.luminance or (Fraction(0), Fraction(0))
    return points, (round(float(black), 3), round(float(peak))), mastering.light
