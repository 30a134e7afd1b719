"""Training pictures in pairs: degraded ones in a folder ``A``, sharp ones of the same names in ``B``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.data.pictures import DecodedPictures, find_pictures
from relume.errors import InputError

MOST_NAMED = 5
"""Pictures that an error names, of those that are wrong."""

Pair = tuple[Path, Path]


def find_pairs(sources: Iterable[str | Path]) -> list[Pair]:
    """The (degraded, sharp) files of a data set, sorted by name within each source.

    Args:
        sources: folders that have ``A`` and ``B`` in them.

    Raises:
        InputError: if ``A`` or ``B`` is missing or empty, or a picture has no partner.
    """
    return [pair for source in sources for pair in match_folders(Path(source) / "A", Path(source) / "B")]


def match_folders(degraded: Path, sharp: Path) -> list[Pair]:
    """The pictures of two folders, matched by name; suffixes may differ, folders in them must not.

    Raises:
        InputError: if a folder is missing or empty, a name comes twice, or a picture has no partner.
    """
    inputs, targets = _by_name(degraded), _by_name(sharp)
    orphans = [inputs[name] for name in sorted(inputs.keys() - targets.keys())]
    orphans += [targets[name] for name in sorted(targets.keys() - inputs.keys())]
    if orphans:
        raise InputError(
            f"{len(orphans)} pictures of {degraded} and {sharp} have no partner",
            got=_named([str(path.relative_to(degraded.parent)) for path in orphans]),
            allowed="the same names in both",
        )
    return [(inputs[name], targets[name]) for name in sorted(inputs)]


def _by_name(folder: Path) -> dict[Path, Path]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", allowed="for pairs, A (degraded) and B (sharp)")
    names: dict[Path, Path] = {}
    for path in find_pictures([folder]):
        name = path.relative_to(folder).with_suffix("")
        if name in names:
            raise InputError(f"{folder} has two pictures of the same name", got=f"{names[name]}, {path}")
        names[name] = path
    return names


def _named(items: Sequence[str]) -> str:
    return ", ".join(items[:MOST_NAMED]) + (", …" if len(items) > MOST_NAMED else "")


@dataclass(frozen=True)
class DecodedPairs:
    """Pairs of pictures of equal sizes, decoded.

    Attributes:
        degraded: the inputs.
        sharp: the targets, in the same order.
        skipped: source files that are not used, with the reason; their partners are not used either.
    """

    degraded: DecodedPictures
    sharp: DecodedPictures
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def decode(cls, pairs: Sequence[Pair], *, smallest_px: int, cache: Path | None = None) -> "DecodedPairs":
        """Decode pairs that are not in the cache yet; see :meth:`DecodedPictures.decode`.

        Raises:
            InputError: if no pair is left, or the two pictures of one differ in size.
        """

        def decoded(paths: Iterable[Path]) -> DecodedPictures:
            return DecodedPictures.decode(list(paths), smallest_px=smallest_px, cache=cache)

        degraded, sharp = map(decoded, zip(*pairs, strict=True))
        skipped = degraded.skipped | sharp.skipped
        if skipped:
            pairs = [pair for pair in pairs if skipped.keys().isdisjoint(map(str, pair))]
            if not pairs:
                raise InputError("no training pair can be used", got=next(iter(skipped.values())))
            degraded, sharp = map(decoded, zip(*pairs, strict=True))
        _refuse_unequal(pairs, degraded, sharp)
        return cls(degraded, sharp, skipped)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the pairs."""
        return self.sharp.shapes

    @property
    def fingerprint(self) -> str:
        """Hash over number, order and sizes of the pairs, which decide what is cropped at a position."""
        return self.sharp.fingerprint

    def pixels(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The degraded and the sharp picture of a pair, uint8 HWC, memory-mapped."""
        return self.degraded.pixels(index), self.sharp.pixels(index)


def _refuse_unequal(pairs: Sequence[Pair], degraded: DecodedPictures, sharp: DecodedPictures) -> None:
    unequal = [
        f"{pair[0]} {a[1]}×{a[0]} for {b[1]}×{b[0]}"
        for pair, a, b in zip(pairs, degraded.shapes, sharp.shapes, strict=True)
        if a != b
    ]
    if unequal:
        raise InputError(
            f"{len(unequal)} pairs differ in size", got=_named(unequal), allowed="equal sizes in A and B"
        )
