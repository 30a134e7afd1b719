"""Results as people read them: one table for terminals and Markdown, then how it was measured."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rich.table import Table


class Tabular(ABC):
    """Results that can be shown as a table.

    Attributes:
        num_labels: columns of names, before the numbers.
    """

    num_labels: ClassVar[int]

    @property
    @abstractmethod
    def headings(self) -> tuple[str, ...]:
        """What is above the columns."""

    @abstractmethod
    def sections(self) -> Iterator[Sequence[Sequence[str]]]:
        """Rows as text, in the order of the headings; those of a section are to be compared."""

    @abstractmethod
    def notes(self) -> list[str]:
        """How it was measured, one sentence a note."""

    def to_markdown(self) -> str:
        """A table, then how it was measured."""
        numbers = len(self.headings) - self.num_labels
        lines = [_line(self.headings), "|" + " --- |" * self.num_labels + " ---: |" * numbers]
        lines += [_line(cells) for section in self.sections() for cells in section]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes())]) + "\n"

    def table(self) -> "Table":
        """The rows as a table for :func:`rich.print`."""
        from rich.table import Table

        table = Table(caption="\n".join(self.notes()), caption_justify="left")
        for index, heading in enumerate(self.headings):
            table.add_column(heading, justify="left" if index < self.num_labels else "right", overflow="fold")
        for section in self.sections():
            table.add_section()
            for cells in section:
                table.add_row(*cells)
        return table


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
