"""What an evaluation found: rows for machines, tables for people."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relume.evaluate.datasets import Dataset

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Result:
    """One model on one dataset, picture by picture.

    Attributes:
        model: the model's name, ``bicubic``, or ``input`` for degraded pictures as they are.
        dataset: the dataset's name.
        fingerprint: hash of the dataset's decoded pictures.
        names: the pictures' names.
        scores: protocol -> (PSNR in dB, SSIM) of each picture.
        ms_per_image: mean wall time in milliseconds.
        pictures: the first results, uint8 HWC, for the page with pictures.
    """

    model: str
    dataset: str
    fingerprint: str
    names: tuple[str, ...]
    scores: Mapping[str, tuple[tuple[float, float], ...]]
    ms_per_image: float
    pictures: tuple[NDArray[np.uint8], ...] = ()

    def mean(self, protocol: str) -> tuple[float, float]:
        """PSNR in dB and SSIM, each the mean of the pictures' scores."""
        psnrs, ssims = zip(*self.scores[protocol], strict=True)
        return sum(psnrs) / len(psnrs), sum(ssims) / len(ssims)


@dataclass(frozen=True)
class Row:
    """One line of the result.

    Attributes:
        model: the model's name, ``bicubic``, or ``input`` for degraded pictures as they are.
        dataset: the dataset's name.
        protocol: the protocol's name.
        num_images: pictures in the dataset.
        psnr: mean in dB.
        ssim: mean, in the protocol's variant.
        ms_per_image: mean wall time in milliseconds.
    """

    model: str
    dataset: str
    protocol: str
    num_images: int
    psnr: float
    ssim: float
    ms_per_image: float


@dataclass(frozen=True)
class Report:
    """An evaluation's outcome.

    Attributes:
        manifest: how it was measured: protocols, datasets with their hashes, models, machine, versions.
        results: every model on every dataset, bicubic first.
        datasets: the datasets by name, from which the page with pictures takes the targets.
    """

    manifest: Mapping[str, Any]
    results: tuple[Result, ...]
    datasets: Mapping[str, Dataset]

    @property
    def rows(self) -> list[Row]:
        """Model × dataset × protocol, those to be compared next to each other."""
        return [
            _row(result, protocol)
            for dataset in self.datasets
            for protocol in self.manifest["protocols"]
            for result in self.of(dataset)
        ]

    def of(self, dataset: str) -> list[Result]:
        """The results on one dataset, bicubic first."""
        return [result for result in self.results if result.dataset == dataset]

    def to_json(self) -> str:
        """``{"manifest": {...}, "rows": [...]}``; the PSNR of pictures equal to their targets is null."""
        rows = [asdict(row) for row in self.rows]
        for row in rows:
            row["psnr"] = round(row["psnr"], 4) if math.isfinite(row["psnr"]) else None
            row["ssim"], row["ms_per_image"] = round(row["ssim"], 5), round(row["ms_per_image"], 3)
        return json.dumps({"manifest": self.manifest, "rows": rows}, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """A table, then how it was measured."""
        lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * 3 + " ---: |" * 4]
        lines += ["| " + " | ".join(cells(row)) + " |" for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes())]) + "\n"

    def table(self) -> "Table":
        """The rows as a table for :func:`rich.print`."""
        from rich.table import Table

        table = Table(caption="\n".join(self.notes()), caption_justify="left")
        for index, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="left" if index < 3 else "right")
        previous = None
        for row in self.rows:
            if previous and previous != (row.dataset, row.protocol):
                table.add_section()
            previous = row.dataset, row.protocol
            table.add_row(*cells(row))
        return table

    def write_html(self, folder: str | Path) -> Path:
        """Write ``report.html`` and its pictures into a folder, made if need be; return the page's path.

        Raises:
            OutputError: if the folder cannot be made or written to.
        """
        from relume.evaluate.page import write_page

        return write_page(self, Path(folder))

    def notes(self) -> list[str]:
        """How it was measured, one sentence a note."""
        notes = [f"{name}: {_description(fields)}" for name, fields in self.manifest["protocols"].items()]
        checked = [
            f"{name} ({', '.join(data['checked_protocols'])})"
            for name, data in self.manifest["datasets"].items()
            if data["checked_protocols"]
        ]
        known = f"agrees with known scores on {', '.join(checked)}" if checked else "unchecked: unknown data"
        return [*notes, f"bicubic {known}", f"ms/image: {self.manifest['timing']}"]


HEADINGS = ("model", "dataset", "protocol", "images", "PSNR dB", "SSIM", "ms/image")


def cells(row: Row) -> tuple[str, ...]:
    """A row as text, in the order of the headings."""
    numbers = decibels(row.psnr), f"{row.ssim:.4f}", f"{row.ms_per_image:.1f}"
    return row.model, row.dataset, row.protocol, str(row.num_images), *numbers


def decibels(psnr: float) -> str:
    """Two decimals; ∞ where nothing differs."""
    return f"{psnr:.2f}" if math.isfinite(psnr) else "∞"


def _row(result: Result, protocol: str) -> Row:
    psnr, ssim = result.mean(protocol)
    return Row(result.model, result.dataset, protocol, len(result.names), psnr, ssim, result.ms_per_image)


def _description(protocol: Mapping[str, Any]) -> str:
    channel = f"Y of {protocol['y_matrix']}" if protocol["y_matrix"] else "R, G and B"
    shave = {"scale": "as many pixels as the scale", 0: "nothing"}.get(
        protocol["shave"], f"{protocol['shave']} px"
    )
    return f"{channel} as {protocol['rounding']}, {shave} shaved off each border, SSIM {protocol['ssim']}"
