"""Evaluation data: sharp pictures that are shrunk here, or pairs of a degraded and a sharp picture."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.data.pairs import match_folders
from relume.degrade.resize import imresize
from relume.errors import InputError, UsageError
from relume.image import READABLE_SUFFIXES, read_picture
from relume.metrics.protocol import to_uint8


@dataclass(frozen=True)
class Pair:
    """One picture of an evaluation set.

    Attributes:
        name: the file's name without its suffix.
        lq: the input, uint8 HWC RGB.
        hq: the target, uint8 HWC RGB, ``scale`` times as large.
        digest: hash of the decoded pixels, before any cropping.
    """

    name: str
    lq: NDArray[np.uint8]
    hq: NDArray[np.uint8]
    digest: str


@dataclass(frozen=True)
class Dataset:
    """Where the pairs come from; decoded one at a time, so that a set may be larger than the memory.

    Attributes:
        folder: the data.
        scale: target pixels per input pixel and side.
        targets: the sharp pictures, sorted by name.
        inputs: the degraded pictures in the same order; empty where they are made by bicubic shrinking.
        size: width and height that both pictures of a pair are reduced to; None leaves them as they are.
    """

    folder: Path
    scale: int
    targets: tuple[Path, ...]
    inputs: tuple[Path, ...] = ()
    size: tuple[int, int] | None = None

    @property
    def paired(self) -> bool:
        """Whether the degraded pictures are given."""
        return bool(self.inputs)

    def __len__(self) -> int:
        return len(self.targets)

    def __iter__(self) -> Iterator[Pair]:
        """Decode the pairs.

        Raises:
            InputError: if a picture cannot be read, or the two of a pair do not fit together.
        """
        if self.paired:
            return map(self._given_pair, self.inputs, self.targets)
        return map(self._shrunk_pair, self.targets)

    def _shrunk_pair(self, target: Path) -> Pair:
        whole = _decode(target)
        height, width = (side // self.scale * self.scale for side in whole.shape[:2])
        if not height * width:
            raise InputError(
                f"{target} is too small", got=_size(whole), allowed=f"sides of at least {self.scale}"
            )
        hq = whole[:height, :width]
        lq = imresize(hq / np.float32(255), scale=1 / self.scale)
        return Pair(target.stem, to_uint8(lq), hq, _digest(whole))

    def _given_pair(self, degraded: Path, target: Path) -> Pair:
        lq, hq = _decode(degraded), _decode(target)
        height, width = (side * self.scale for side in lq.shape[:2])
        if hq.shape[:2] != (height, width):
            raise InputError(
                f"{target} does not fit {degraded}",
                got=_size(hq),
                allowed=f"{width}×{height} at scale {self.scale}",
            )
        digest = _digest(lq, hq)
        if self.size:
            lq, hq = (_reduced(picture, self.size, target) for picture in (lq, hq))
        return Pair(target.stem, lq, hq, digest)


def open_dataset(folder: str | Path, scale: int, size: tuple[int, int] | None = None) -> Dataset:
    """Find the pictures of an evaluation set.

    Args:
        folder: sharp pictures; or a folder with ``A`` (degraded) and ``B`` (sharp), matched by name.
        scale: target pixels per input pixel and side; 1 (deblurring) needs pairs.
        size: width and height to which the pairs are reduced at scale 1, by MATLAB's antialiased bicubic.

    Raises:
        InputError: if the folder is missing or empty, a picture has no partner, or scale 1 has no pairs.
        UsageError: if ``size`` is given at another scale.
    """
    folder = Path(folder)
    if size and scale != 1:
        raise UsageError("only pairs at scale 1 are reduced to a size", got=f"scale {scale}")
    if not folder.is_dir():
        raise InputError(
            f"there is no data folder {folder}",
            hint="--data takes a folder of pictures, or clips for --measures flicker",
        )
    degraded, sharp = folder / "A", folder / "B"
    if degraded.is_dir() and sharp.is_dir():
        inputs, targets = zip(*match_folders(degraded, sharp), strict=True)
        return Dataset(folder, scale, targets, inputs, size)
    if scale == 1:
        raise InputError(
            f"{folder} has no pairs", allowed="folders A (degraded) and B (sharp) in it at scale 1"
        )
    return Dataset(folder, scale, _pictures_in(folder))


def fingerprint(digests: list[str]) -> str:
    """The hash of a set from the digests of its pairs; names and order of the files do not matter."""
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _pictures_in(folder: Path) -> tuple[Path, ...]:
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in READABLE_SUFFIXES and p.is_file())
    if not found:
        raise InputError(f"no pictures in {folder}", allowed=READABLE_SUFFIXES)
    return tuple(found)


def _decode(path: Path) -> NDArray[np.uint8]:
    return to_uint8(read_picture(path).pixels)


def _reduced(picture: NDArray[np.uint8], size: tuple[int, int], source: Path) -> NDArray[np.uint8]:
    """A picture of another size; of another shape, or larger, it would not be the same picture."""
    (rows, columns), (width, height) = picture.shape[:2], size
    if abs(columns * height - width * rows) > max(width, height) or width > columns:
        raise InputError(
            f"{source} cannot be reduced to {width}×{height}",
            got=_size(picture),
            allowed="the same proportions, and no fewer pixels",
        )
    if (width, height) == (columns, rows):
        return picture
    return to_uint8(imresize(picture / np.float32(255), width=width, height=height))


def _digest(*pictures: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(repr(picture.shape).encode())
        digest.update(picture.tobytes())
    return digest.hexdigest()


def _size(picture: NDArray[np.uint8]) -> str:
    return f"{picture.shape[1]}×{picture.shape[0]}"
