"""Training crops of several data sets, each with its own way to make inputs, in one run."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from relume.data.crops import Crops


@dataclass
class Mixture(Dataset[tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]]):
    """At each position, a crop of one of several data sets, drawn by their shares.

    Attributes:
        parts: the data sets; crops of all have the same sides.
        shares: how likely each is; they sum to 1.
        seed: of the draws between them, together with the position.
    """

    parts: tuple[Crops[Any], ...]
    shares: tuple[float, ...]
    seed: int

    def __getitem__(self, position: int) -> tuple[UInt8[Tensor, "3 h w"], UInt8[Tensor, "3 sh sw"]]:
        """Item ``position``: input and target, uint8 CHW."""
        drawn = np.random.default_rng((self.seed, position, len(self.parts))).random()
        part = int(np.searchsorted(self._shares_up_to, drawn, side="right"))
        return self.parts[part][position]

    @cached_property
    def _shares_up_to(self) -> list[float]:
        return np.cumsum(self.shares)[:-1].tolist()

    @property
    def pairing(self) -> Any:
        """How the first data set's inputs come about: validation pictures get theirs likewise."""
        return self.parts[0].pairing

    @property
    def num_pictures(self) -> int:
        """Pictures of all data sets."""
        return sum(part.num_pictures for part in self.parts)

    @property
    def skipped(self) -> dict[str, str]:
        """Source files that are not used, with the reason."""
        return {file: reason for part in self.parts for file, reason in part.skipped.items()}

    @property
    def fingerprint(self) -> str:
        """Hash over what decides what is cropped at a position."""
        return sha256(" ".join(part.fingerprint for part in self.parts).encode()).hexdigest()

    def still(self, seed: int) -> "Mixture":
        """Other crops, neither turned nor mirrored."""
        return replace(self, parts=tuple(part.still(seed) for part in self.parts), seed=seed)
