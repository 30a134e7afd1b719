"""Degradations one after the other, as happens to pictures that are scanned, sent, resized and saved again.

Every step is a frozen object ``(image, rng) -> image`` on float32 HWC in [0, 1]. A step may change the size:
it then maps the whole picture onto the whole result, so that nothing moves, and the chain ends at the size
that is asked of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relume.degrade.rescale import DEFAULT_KERNELS, NamedKernel, draw_resized

LEAST_MARGIN_PX = 16
"""What most of a blur's weight lies within; farther out a crop goes on as its own mirror."""


class Step(Protocol):
    """A degradation."""

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1]."""
        ...


@dataclass(frozen=True)
class Sometimes:
    """A step that happens to a part of the pictures only.

    Attributes:
        step: what happens.
        chance: in [0, 1].
    """

    step: Step
    chance: float

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """The degraded picture, or the picture as it is."""
        return self.step(image, rng) if rng.random() < self.chance else image


@dataclass(frozen=True)
class Chain:
    """Rounds of degradations, then a last round in which the picture also gets its final size.

    Attributes:
        scale: how many times smaller than the sharp picture the result is.
        rounds: the steps of each round.
        final: steps of the last round, besides the resize to the final size.
        kernels: of that resize, each equally likely.
        antialias: chance that it widens its kernel where it shrinks.
        shuffled: whether the steps of a round come in random order. The last round's always do.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 3.2 (two rounds, a sinc filter); K. Zhang et al.,
        "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution" (BSRGAN), ICCV 2021,
        section 3.4 (random order).
    """

    scale: int
    rounds: tuple[tuple[Step, ...], ...]
    final: tuple[Step, ...] = ()
    kernels: tuple[NamedKernel, ...] = DEFAULT_KERNELS
    antialias: float = 0.0
    shuffled: bool = True

    @property
    def margin_px(self) -> int:
        """How far outside a crop the steps look, in whole output pixels."""
        return math.ceil(LEAST_MARGIN_PX / self.scale) * self.scale

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC in [0, 1] -> HWC in [0, 1], sides divided by ``scale`` (which must divide them)."""
        height, width = (side // self.scale for side in image.shape[:2])

        def resize(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            return draw_resized(image, (height, width), self.kernels, self.antialias, rng)

        for steps in self.rounds:
            image = _applied(_reordered(steps, rng) if self.shuffled else steps, image, rng)
        return _applied(_reordered((*self.final, resize), rng), image, rng)


def _reordered(steps: Sequence[Step], rng: np.random.Generator) -> list[Step]:
    return [steps[place] for place in rng.permutation(len(steps))]


def _applied(
    steps: Sequence[Step], image: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    for step in steps:
        image = step(image, rng)
    return image
