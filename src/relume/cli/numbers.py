"""Numbers on the command line, with the range that is allowed: types for :mod:`argparse`."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Numbers:
    """The numbers that an option may be.

    Attributes:
        kind: whole or any.
        least: the smallest.
        most: the largest.
    """

    kind: type[int] | type[float] = int
    least: float = 0
    most: float = inf

    def __call__(self, text: str) -> float:
        """The number that a text is.

        Raises:
            ValueError: if it is none of these.
        """
        number = self.kind(text)
        if not self.least <= number <= self.most:  # as nan is not
            raise ValueError
        return number

    @property
    def allowed(self) -> str:
        """What the numbers are, in words."""
        named = "a whole number" if self.kind is int else "a number"
        return f"{named} from {self.least:g}" + (f" to {self.most:g}" if self.most < inf else "")
