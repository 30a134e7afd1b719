"""What ``relume verify`` tells: one promise after the other, kept or broken."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

LARGEST_SHIFT_S: Final = Fraction(1, 1000)
"""Times may differ by so much: Matroska counts in milliseconds."""


@dataclass(frozen=True)
class Check:
    """One promise, and whether it is kept.

    Attributes:
        name: what is compared.
        kept: whether it is as it should be.
        found: what was seen, in words.
    """

    name: str
    kept: bool
    found: str


def shifted(name: str, largest: Fraction) -> Check:
    """Times that must be the same, and are apart by so many seconds at most."""
    return Check(name, largest <= LARGEST_SHIFT_S, f"apart by at most {float(1000 * largest):.3g} ms")


def compare(name: str, before: Any, after: Any, show: Callable[[Any], str] = str) -> Check:
    """Two things that must be equal."""
    if before == after:
        return Check(name, True, show(before))
    return Check(name, False, f"{show(before)} became {show(after)}")
