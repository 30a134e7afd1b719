"""Random training crops, each a pure function of (seed, position)."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from relume.data.places import Place, Places
from relume.degrade.sharpen import Sharpen


class Pictures(Protocol):
    """Training pictures, whatever an item is made of."""

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each."""
        ...

    @property
    def skipped(self) -> dict[str, str]:
        """Source files that are not used, with the reason."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash over what decides what is cropped at a position."""
        ...


Item = TypeVar("Item")
"""What a data set gives: a tensor, or input and target."""

P = TypeVar("P", bound=Pictures)
Pairing = Callable[[P, Place, np.random.Generator], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""How input and target of a place come about, see :mod:`relume.data.pairing`."""


@dataclass
class Crops(Dataset[tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]], Generic[P]):
    """Crops drawn uniformly from all crops of all pictures, turned and mirrored together with their inputs.

    Attributes:
        pictures: where crops come from.
        pairing: how input and target of a crop come about.
        crop_px: side of the target crop.
        seed: of all randomness, together with the position.
        augment: whether crops are turned by quarters and mirrored.
        sharpen: what is done to targets, or nothing.
    """

    pictures: P
    pairing: Pairing[P]
    crop_px: int
    seed: int
    augment: bool = True
    sharpen: Sharpen | None = None

    def __getitem__(self, position: int) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]:
        """Item ``position``: input and target, uint8 CHW."""
        rng = np.random.default_rng((self.seed, position))
        lq, hq = self.pairing(self.pictures, self._places.draw(rng), rng)
        if self.sharpen:
            hq = self.sharpen(hq)
        turns, mirrored = draw_turn(rng, self.augment)
        return _tensor(lq, turns, mirrored), _tensor(hq, turns, mirrored)

    @property
    def num_pictures(self) -> int:
        """Pictures that crops are taken from."""
        return len(self.pictures.shapes)

    @property
    def skipped(self) -> dict[str, str]:
        """Source files that are not used, with the reason."""
        return self.pictures.skipped

    @property
    def fingerprint(self) -> str:
        """Hash over what decides what is cropped at a position."""
        return self.pictures.fingerprint

    def still(self, seed: int) -> "Crops[P]":
        """Other crops, neither turned nor mirrored."""
        return replace(self, seed=seed, augment=False)

    @cached_property
    def _places(self) -> Places:
        return Places(self.pictures.shapes, self.crop_px)


def draw_turn(rng: np.random.Generator, augment: bool) -> tuple[int, bool]:
    """Quarter turns against the clock, and whether the crop is mirrored after them."""
    return (int(rng.integers(4)), bool(rng.integers(2))) if augment else (0, False)


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


def make_batches(dataset: Dataset[Item], positions: Positions, *, num_workers: int) -> Iterator[Item]:
    """Batches of items of a process, stacked, the same for any number of workers.

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
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # both may reach the whole group, as Ctrl-C and systemd's do
        signal.signal(number, signal.SIG_IGN)  # the loop still wants its batch, and ends the workers itself
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")
