"""The learning rate's course: a pure function of the step."""

import math
from typing import Annotated, Literal

from pydantic import Field

from relume.train.options import Fraction, Options


class Schedule(Options):
    """Factor on the base learning rate.

    Attributes:
        kind: ``constant``; ``cosine`` from 1 to ``final``; ``milestones`` multiplies by ``factor`` at each
            milestone; ``trapezoid`` stays at 1 and falls to ``final`` over the last ``decay`` of the run
            (linearly), so that a run can be made longer until its decay starts.
        warmup_steps: linear rise from 0 at the start.
        final: factor at the end, for cosine and trapezoid.
        decay: fraction of the run that falls, for trapezoid.
        milestones: fractions of the run, for milestones.
        factor: multiplier at each milestone.
    """

    kind: Literal["constant", "cosine", "milestones", "trapezoid"] = "constant"
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    final: Fraction = 0.0
    decay: Annotated[float, Field(gt=0, le=1)] = 0.25
    milestones: tuple[float, ...] = (0.5,)
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1

    def at(self, step: int, steps: int) -> float:
        """The factor at ``step`` of a run of ``steps``."""
        warmup = min(1.0, (step + 1) / (self.warmup_steps + 1))
        return warmup * self._course(step / steps)

    def _course(self, progress: float) -> float:
        if self.kind == "cosine":
            return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * progress))
        if self.kind == "milestones":
            return self.factor ** sum(progress >= m for m in self.milestones)
        if self.kind == "trapezoid":
            return self.final + (1 - self.final) * min(1.0, (1 - progress) / self.decay)
        return 1.0
