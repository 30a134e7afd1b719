"""What an evaluation on clips found: rows for machines, tables for people."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from relume.evaluate.columns import Column, column_notes, json_number
from relume.evaluate.tables import Tabular
from relume.metrics.flicker import STILL_LEVELS

_STILL: Final = (
    "root mean square change from one frame to the next, in levels of 255, where the input stands still "
    f"(no pixel of 3×3 changes by more than {STILL_LEVELS:g}), mean over pairs of frames; "
)

COLUMNS: Final = (
    Column(
        key="flicker",
        title="flicker",
        better="lower",
        digits=2,
        note=_STILL + "of the result made small again by MATLAB's bicubic",
    ),
    Column(
        key="flicker_details",
        title="with all details",
        better="lower",
        digits=2,
        note="the same of the result as it is",
    ),
)


@dataclass(frozen=True)
class ClipRow:
    """One line of the result.

    Attributes:
        model: the model's name, ``input`` for the clip as it is, or ``bicubic``.
        clip: the clip's name.
        num_pairs: of frames that were compared: in one scene, and something in them stands still.
        values: means over the pairs by column key; NaN where there is none.
    """

    model: str
    clip: str
    num_pairs: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class ClipReport(Tabular):
    """An evaluation's outcome on clips.

    Attributes:
        manifest: how it was measured: clips with their hashes, models, machine, versions.
        rows: every model on every clip; ``input`` and bicubic first.
    """

    manifest: Mapping[str, Any]
    rows: tuple[ClipRow, ...]
    num_labels = 2

    @property
    def headings(self) -> tuple[str, ...]:
        """Of the tables."""
        return "model", "clip", "pairs", *(column.heading for column in COLUMNS)

    def sections(self) -> Iterator[list[tuple[str, ...]]]:
        """The rows of each clip as text."""
        for clip in self.manifest["clips"]:
            yield [_cells(row) for row in self.rows if row.clip == clip]

    def notes(self) -> list[str]:
        """How it was measured, one sentence a note."""
        clips = [f"{name}: {_description(clip)}" for name, clip in self.manifest["clips"].items()]
        return [*column_notes(COLUMNS), *clips]

    def to_json(self) -> str:
        """``{"manifest": {...}, "rows": [...]}``; null stands for no value."""
        columns = {column.key: asdict(column) for column in COLUMNS}
        found = {
            "manifest": {**self.manifest, "columns": columns},
            "rows": [_record(row) for row in self.rows],
        }
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _cells(row: ClipRow) -> tuple[str, ...]:
    numbers = (column.text(row.values[column.key]) for column in COLUMNS)
    return row.model, row.clip, str(row.num_pairs), *numbers


def _record(row: ClipRow) -> dict[str, Any]:
    values = {key: json_number(value, 5) for key, value in row.values.items()}
    return {"model": row.model, "clip": row.clip, "num_pairs": row.num_pairs, **values}


def _description(clip: Mapping[str, Any]) -> str:
    width, height = clip["size"]
    frames = f"{width}×{height}, the first {clip['num_frames']} frames"
    cuts = f", scene cuts left out: {clip['num_cuts']}" if clip["num_cuts"] else ""
    return frames + cuts + (", deinterlaced" if clip["deinterlaced"] else "")
