"""What an evaluation found: rows for machines, tables for people."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.evaluate.columns import Column, column_notes, json_number
from relume.evaluate.datasets import Dataset
from relume.evaluate.tables import Tabular

ORIGINAL = "original"
"""What the targets themselves are called where a measure needs no target."""


@dataclass(frozen=True)
class Result:
    """One model on one dataset, picture by picture.

    Attributes:
        model: the model's name, ``bicubic``, ``input`` for degraded pictures as they are, or ``original``.
        dataset: the dataset's name.
        fingerprint: hash of the dataset's decoded pictures.
        names: the pictures' names.
        sizes: the widths and heights that targets have.
        scores: protocol -> PSNR in dB and SSIM of each picture by column key; empty for ``original``.
        values: the other measures of each picture by column key.
        ms_per_image: mean wall time in milliseconds; None where nothing was computed.
        pictures: the first results, uint8 HWC, for the page with pictures.
    """

    model: str
    dataset: str
    fingerprint: str
    names: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    scores: Mapping[str, Sequence[Mapping[str, float]]]
    values: Sequence[Mapping[str, float]] = ()
    ms_per_image: float | None = None
    pictures: tuple[NDArray[np.uint8], ...] = ()

    def of(self, protocol: str, position: int) -> dict[str, float]:
        """All numbers of one picture by column key."""
        found = dict(self.scores[protocol][position]) if protocol in self.scores else {}
        return found | dict(self.values[position] if self.values else {})

    def mean(self, protocol: str) -> dict[str, float]:
        """The means over the pictures that have a value, by column key; NaN where none has."""
        pictures = [self.of(protocol, position) for position in range(len(self.names))]
        return {key: _mean(picture[key] for picture in pictures) for key in pictures[0]}


@dataclass(frozen=True)
class Row:
    """One line of the result.

    Attributes:
        model: the model's name, ``bicubic``, ``input`` for degraded pictures as they are, or ``original``.
        dataset: the dataset's name.
        protocol: the protocol's name; PSNR and SSIM depend on it, other measures do not.
        num_images: pictures in the dataset.
        values: means by column key; a key is missing where there is nothing to measure.
        ms_per_image: mean wall time in milliseconds; None for ``original``.
    """

    model: str
    dataset: str
    protocol: str
    num_images: int
    values: Mapping[str, float]
    ms_per_image: float | None


@dataclass(frozen=True)
class Report(Tabular):
    """An evaluation's outcome.

    Attributes:
        manifest: how it was measured: protocols, datasets with their hashes, models, machine, versions.
        columns: the numbers that tables show.
        results: every model on every dataset; ``original`` and bicubic first.
        datasets: the datasets by name, from which the page with pictures takes the targets.
    """

    manifest: Mapping[str, Any]
    columns: tuple[Column, ...]
    results: tuple[Result, ...]
    datasets: Mapping[str, Dataset]
    num_labels = 3

    @property
    def rows(self) -> list[Row]:
        """Model × dataset × protocol, those to be compared next to each other."""
        return [
            Row(
                result.model,
                result.dataset,
                protocol,
                len(result.names),
                result.mean(protocol),
                result.ms_per_image,
            )
            for dataset in self.datasets
            for protocol in self.manifest["protocols"]
            for result in self.of(dataset)
        ]

    def of(self, dataset: str) -> list[Result]:
        """The results on one dataset in the order of their rows."""
        return [result for result in self.results if result.dataset == dataset]

    def to_json(self) -> str:
        """``{"manifest": {...}, "rows": [...]}``; null stands for no value, and for infinity."""
        rows = [_record(row) for row in self.rows]
        return json.dumps({"manifest": self.manifest, "rows": rows}, indent=2, ensure_ascii=False) + "\n"

    def write_html(self, folder: str | Path) -> Path:
        """Write ``report.html`` and its pictures into a folder, made if need be; return the page's path.

        Raises:
            OutputError: if the folder cannot be made or written to.
        """
        from relume.evaluate.page import write_page

        return write_page(self, Path(folder))

    @property
    def headings(self) -> tuple[str, ...]:
        """Of the tables."""
        return "model", "dataset", "protocol", "images", *(c.heading for c in self.columns), "ms/image"

    def sections(self) -> Iterator[list[tuple[str, ...]]]:
        """The rows of each dataset and protocol as text."""
        for _, rows in groupby(self.rows, key=lambda row: (row.dataset, row.protocol)):
            yield [self.cells(row) for row in rows]

    def cells(self, row: Row) -> tuple[str, ...]:
        """A row as text, in the order of the headings."""
        numbers = (column.text(row.values.get(column.key)) for column in self.columns)
        time = "–" if row.ms_per_image is None else f"{row.ms_per_image:.1f}"
        return row.model, row.dataset, row.protocol, str(row.num_images), *numbers, time

    def notes(self) -> list[str]:
        """How it was measured, one sentence a note."""
        notes = [f"{name}: {_description(fields)}" for name, fields in self.manifest["protocols"].items()]
        notes += column_notes(self.columns)
        notes += [f"{name}: {_size(data)}" for name, data in self.manifest["datasets"].items()]
        checked = [
            f"{name} ({', '.join(data['checked_protocols'])})"
            for name, data in self.manifest["datasets"].items()
            if data["checked_protocols"]
        ]
        known = f"agrees with known scores on {', '.join(checked)}" if checked else "unchecked: unknown data"
        return [*notes, f"{self.manifest['baseline']} {known}", f"ms/image: {self.manifest['timing']}"]


def _record(row: Row) -> dict[str, Any]:
    labels = {"model": row.model, "dataset": row.dataset, "protocol": row.protocol}
    values = {"psnr": None, "ssim": None} | {key: json_number(value, 5) for key, value in row.values.items()}
    return (
        labels | {"num_images": row.num_images} | values | {"ms_per_image": json_number(row.ms_per_image, 3)}
    )


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _size(dataset: Mapping[str, Any]) -> str:
    """How large the targets are, and where the inputs come from."""
    sizes = sorted(dataset["sizes"], key=lambda size: size[0] * size[1])
    ends = " to ".join(dict.fromkeys(f"{width}×{height}" for width, height in (sizes[0], sizes[-1])))
    if not dataset["paired"]:
        return f"targets {ends}, inputs made of them by MATLAB's bicubic"
    reduced = ", both reduced from their files by MATLAB's antialiased bicubic" if dataset["reduced"] else ""
    return f"given pairs, targets {ends}{reduced}"


def _description(protocol: Mapping[str, Any]) -> str:
    channel = f"Y of {protocol['y_matrix']}" if protocol["y_matrix"] else "R, G and B"
    shave = {"scale": "as many pixels as the scale", 0: "nothing"}.get(
        protocol["shave"], f"{protocol['shave']} px"
    )
    return f"{channel} as {protocol['rounding']}, {shave} shaved off each border, SSIM {protocol['ssim']}"
