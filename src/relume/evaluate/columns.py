"""What the columns of a result hold: the name, the direction and the rules of every number."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Better = Literal["higher", "lower", "nearer zero"]

ARROWS: dict[Better, str] = {"higher": "↑", "lower": "↓", "nearer zero": "→0"}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One number that every picture gets.

    Attributes:
        key: its name in JSON.
        title: its name in tables, with the unit.
        better: which numbers are better.
        digits: decimals in tables.
        note: how it is measured; empty where a protocol says so.
    """

    key: str
    title: str
    better: Better
    digits: int
    note: str = ""

    @property
    def heading(self) -> str:
        """The title with an arrow."""
        return f"{self.title} {ARROWS[self.better]}"

    def text(self, value: float | None) -> str:
        """A value as in tables: ∞ where nothing differs, – where there is none."""
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞"
        rounded = round(value, self.digits) + 0.0  # no −0.00
        return f"{rounded:{'+' if self.better == 'nearer zero' else ''}.{self.digits}f}"

    def badness(self, value: float | None) -> float:
        """The smaller the better; NaN where there is no value."""
        if value is None:
            return math.nan
        return {"higher": -value, "lower": value, "nearer zero": abs(value)}[self.better]


PSNR = Column(key="psnr", title="PSNR dB", better="higher", digits=2)
SSIM = Column(key="ssim", title="SSIM", better="higher", digits=4)


def column_notes(columns: Iterable[Column]) -> list[str]:
    """How columns are measured; neighbours with the same note share it."""
    groups = groupby(columns, key=lambda column: column.note)
    return [f"{', '.join(column.title for column in same)}: {note}" for note, same in groups if note]


def json_number(value: float | None, digits: int) -> float | None:
    """A value as in JSON: None, which is null there, stands for no value, and for infinity."""
    return None if value is None or not math.isfinite(value) else round(value, digits)
