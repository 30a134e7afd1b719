"""Random training crops, each a pure function of (seed, position)."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from relume.data.frames import DecodedFrames
from relume.data.pairs import DecodedPairs
from relume.data.pictures import DecodedPictures
from relume.degrade.frames import FrameMean


class Degradation(Protocol):
    """What turns a sharp crop into a network's input."""

    @property
    def margin_px(self) -> int:
        """How far outside a crop the result depends on the picture; a multiple of the scale."""
        ...

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1]."""
        ...


@dataclass(frozen=True)
class Places:
    """All crops of all pictures: a W×H picture has (W−c+1)(H−c+1) crops of side c, each equally likely.

    Attributes:
        shapes: height and width of the pictures; no side is below ``crop_px``.
        crop_px: side of a crop.
    """

    shapes: Sequence[tuple[int, int]]
    crop_px: int

    @cached_property
    def _crops_up_to(self) -> NDArray[np.int64]:
        shapes = np.array(self.shapes, dtype=np.int64)
        return np.cumsum((shapes - self.crop_px + 1).prod(axis=1))

    def draw(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """The picture, top and left of a crop."""
        crop = int(rng.integers(self._crops_up_to[-1]))
        index = int(np.searchsorted(self._crops_up_to, crop, side="right"))
        within = crop - (int(self._crops_up_to[index - 1]) if index else 0)
        return index, *divmod(within, self.shapes[index][1] - self.crop_px + 1)


@dataclass
class CropPairs(Dataset[tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]]):
    """Crops drawn uniformly from all crops of all pictures, degraded, turned and mirrored.

    The input is what degrading the whole picture would give at that place: the degradation sees a margin
    around the crop.

    Attributes:
        pictures: where crops come from.
        degradation: sharp crop -> input.
        scale: target pixels per input pixel.
        crop_px: side of the target crop, a multiple of ``scale``.
        seed: of all randomness, together with the position.
        augment: whether crops are turned by quarters and mirrored.
    """

    pictures: DecodedPictures
    degradation: Degradation
    scale: int
    crop_px: int
    seed: int
    augment: bool = True

    def __getitem__(self, position: int) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]:
        """Item ``position``: input and target, uint8 CHW."""
        rng = np.random.default_rng((self.seed, position))
        pixels, top, left = self._draw(rng)
        lq, hq = self._degraded(pixels, top, left, rng)
        return _item(lq, hq, rng, self.augment)

    @cached_property
    def _places(self) -> Places:
        return Places(self.pictures.shapes, self.crop_px)

    def _draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int, int]:
        index, top, left = self._places.draw(rng)
        return self.pictures.pixels(index), top, left

    def _degraded(
        self, pixels: NDArray[np.uint8], top: int, left: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        (y0, y1), (x0, x1) = (self._window(o, n) for o, n in zip((top, left), pixels.shape[:2], strict=True))
        context = np.ascontiguousarray(pixels[top - y0 : top + y1, left - x0 : left + x1])
        degraded = self.degradation(context.astype(np.float32) / np.float32(255), rng)
        side = self.crop_px // self.scale
        lq = degraded[y0 // self.scale :, x0 // self.scale :][:side, :side]
        hq = context[y0:, x0:][: self.crop_px, : self.crop_px]
        return _rounded(lq), hq

    def _window(self, offset: int, side: int) -> tuple[int, int]:
        """How far the context reaches before and after a crop's offset, in whole input pixels."""
        margin = self.degradation.margin_px
        before = min(margin, offset // self.scale * self.scale)
        after = min(self.crop_px + margin, (side - offset) // self.scale * self.scale)
        return before, after


@dataclass
class AlignedCrops(Dataset[tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 h w"]]]):
    """Crops at the same place of the two pictures of given pairs, turned and mirrored together.

    Attributes:
        pictures: the pairs, of equal sizes.
        crop_px: side of the crops.
        seed: of all randomness, together with the position.
        augment: whether crops are turned by quarters and mirrored.
    """

    pictures: DecodedPairs
    crop_px: int
    seed: int
    augment: bool = True

    def __getitem__(self, position: int) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 h w"]]:
        """Item ``position``: input and target, uint8 CHW."""
        rng = np.random.default_rng((self.seed, position))
        index, top, left = self._places.draw(rng)
        lq, hq = (_cut(pixels, top, left, self.crop_px) for pixels in self.pictures.pixels(index))
        return _item(lq, hq, rng, self.augment)

    @cached_property
    def _places(self) -> Places:
        return Places(self.pictures.shapes, self.crop_px)


@dataclass
class FrameCrops(Dataset[tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 h w"]]]):
    """Crops of means of consecutive frames, each with the same crop of the middle frame.

    Attributes:
        pictures: the frames, in runs that are long enough for ``mean``.
        mean: how many frames make an input, and how.
        crop_px: side of the crops.
        seed: of all randomness, together with the position.
        augment: whether crops are turned by quarters and mirrored.
    """

    pictures: DecodedFrames
    mean: FrameMean
    crop_px: int
    seed: int
    augment: bool = True

    def __getitem__(self, position: int) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 h w"]]:
        """Item ``position``: input and target, uint8 CHW."""
        rng = np.random.default_rng((self.seed, position))
        index, top, left = self._places.draw(rng)
        reach = self.mean.draw_reach(rng)
        frames = [_cut(frame, top, left, self.crop_px) for frame in self.pictures.around(index, reach)]
        return _item(_rounded(self.mean(frames)), frames[reach], rng, self.augment)

    @cached_property
    def _places(self) -> Places:
        return Places(self.pictures.shapes, self.crop_px)


def _cut(pixels: NDArray[np.uint8], top: int, left: int, crop_px: int) -> NDArray[np.uint8]:
    return pixels[top : top + crop_px, left : left + crop_px]


def _rounded(unit: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.floor(unit.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _item(
    lq: NDArray[np.uint8], hq: NDArray[np.uint8], rng: np.random.Generator, augment: bool
) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]:
    turns, mirrored = (int(rng.integers(4)), bool(rng.integers(2))) if augment else (0, False)
    return _tensor(lq, turns, mirrored), _tensor(hq, turns, mirrored)


def _tensor(pixels: NDArray[np.uint8], turns: int, mirrored: bool) -> UInt8[Tensor, "3 h w"]:
    pixels = np.rot90(pixels, turns)
    pixels = pixels[:, ::-1] if mirrored else pixels
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


@dataclass(frozen=True)
class Positions(Sampler[list[int]]):
    """Batches of consecutive positions: a run that starts at step n sees what an uninterrupted run sees.

    Attributes:
        start: first step.
        steps: step after the last.
        batch_size: items per step, of all processes together.
        rank: whose share of every batch it is.
        num_processes: among how many, equally.
    """

    start: int
    steps: int
    batch_size: int
    rank: int = 0
    num_processes: int = 1

    def __iter__(self) -> Iterator[list[int]]:
        share = self.batch_size // self.num_processes
        for step in range(self.start, self.steps):
            first = step * self.batch_size + self.rank * share
            yield list(range(first, first + share))

    def __len__(self) -> int:
        return self.steps - self.start


def make_batches(
    dataset: Dataset[tuple[Tensor, Tensor]], positions: Positions, *, num_workers: int
) -> Iterator[tuple[UInt8[Tensor, "n 3 h w"], UInt8[Tensor, "n 3 sh sw"]]]:
    """Batches of (input, target) of a process, the same for any number of workers.

    NumPy's matrix products keep to one thread from now on, here and in the workers: threads would cost more
    than they bring to products this small, and might round differently.
    """
    threadpool_limits(1, "blas")
    return iter(
        DataLoader(
            dataset,
            batch_sampler=positions,
            num_workers=num_workers,
            worker_init_fn=_start_worker,
            pin_memory=torch.cuda.is_available(),
            prefetch_factor=4 if num_workers else None,
        )
    )


def _start_worker(worker: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the loop still wants its batch
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")
