"""The page with pictures: bicubic, each model and the target side by side, and where they differ most."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.errors import OutputError
from relume.evaluate.report import HEADINGS, Report, Result, Row, cells, decibels
from relume.files import replacing

_CROP_PX = 80
_NUM_CROPS = 2
Pixels = NDArray[np.uint8]


class Crop(NamedTuple):
    """A square cut-out: first row, first column, side in pixels."""

    top: int
    left: int
    side: int

    def of(self, picture: Pixels) -> Pixels:
        """Cut it out."""
        return picture[self.top : self.top + self.side, self.left : self.left + self.side]


class Column(NamedTuple):
    """What stands under one heading of a picture: whose it is, its scores, and the picture."""

    name: str
    scores: Sequence[str]
    pixels: Pixels


def write_page(report: Report, folder: Path) -> Path:
    """Write ``report.html`` and ``pictures/*.png`` into a folder, made if need be; the page comes last.

    Raises:
        OutputError: if the folder cannot be made or written to.
    """
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}", got=error.strerror) from error
    sections = [_section(report, index, name, folder) for index, name in enumerate(report.datasets)]
    page = folder / "report.html"
    with replacing(page) as temporary:
        temporary.write_text(_document(report, sections), encoding="utf-8")
    return page


def find_crops(picture: Pixels, target: Pixels) -> list[Crop]:
    """The squares in which two pictures of one size differ most, the worst first, and not side by side."""
    side = min(_CROP_PX, *target.shape[:2])
    error = np.square(picture.astype(np.float64) - target).sum(axis=2)
    sums = np.pad(error, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    apart = side * 3 // 2
    crops: list[Crop] = []
    while len(crops) < _NUM_CROPS and np.isfinite(inside).any():
        top, left = (int(i) for i in np.unravel_index(np.argmax(inside), inside.shape))
        crops.append(Crop(top, left, side))
        inside[max(0, top - apart + 1) : top + apart, max(0, left - apart + 1) : left + apart] = -np.inf
    return crops


def _document(report: Report, sections: Iterable[str]) -> str:
    style = files("relume.evaluate").joinpath("page.css").read_text(encoding="utf-8")
    links = "".join(f'<a href="#data-{i}">{escape(name)}</a>' for i, name in enumerate(report.datasets))
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes())
    manifest = escape(json.dumps(report.manifest, indent=2, ensure_ascii=False))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>relume eval</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<h1>relume eval, ×{report.manifest['scale']}</h1>{_summary(report.rows)}"
        f'<ul class="faint">{notes}</ul><nav>{links}</nav>{"".join(sections)}'
        f"<details><summary>manifest</summary><pre>{manifest}</pre></details></html>\n"
    )


def _summary(rows: Sequence[Row]) -> str:
    """The result's table, with the best PSNR and SSIM of each dataset and protocol marked."""
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    body: list[str] = []
    for row in rows:
        rivals = [other for other in rows if (other.dataset, other.protocol) == (row.dataset, row.protocol)]
        best = {4: row.psnr == max(r.psnr for r in rivals), 5: row.ssim == max(r.ssim for r in rivals)}
        marked = [
            f"<td{' class=best' if best.get(index) else ''}>{escape(text)}</td>"
            for index, text in enumerate(cells(row))
        ]
        body.append(f"<tr>{''.join(marked)}</tr>")
    return f'<div class="wide summary"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _section(report: Report, index: int, dataset: str, folder: Path) -> str:
    """One dataset: the scores of all its pictures, and the first ones to look at."""
    results = report.of(dataset)
    num_images, num_shown = len(results[0].names), len(results[0].pictures)
    tables = "".join(_picture_scores(results, protocol) for protocol in report.manifest["protocols"])
    pictures = [
        _picture(results, position, pair.hq, folder / "pictures" / f"{index}-{position}")
        for position, pair in zip(range(num_shown), report.datasets[dataset], strict=False)
    ]
    legend = f"{num_shown} of {num_images} pictures; framed: where {results[0].model} is furthest off"
    return (
        f'<section id="data-{index}"><h2>{escape(dataset)}</h2><p class=faint>{escape(legend)}</p>'
        f"<details><summary>scores of every picture</summary>{tables}</details>{''.join(pictures)}</section>"
    )


def _picture_scores(results: Sequence[Result], protocol: str) -> str:
    head = "".join(f"<th>{escape(result.model)}</th>" for result in results)
    lines = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{_score(result, protocol, position)}</td>" for result in results)
        + "</tr>"
        for position, name in enumerate(results[0].names)
    ]
    return f"<div class=wide><table><tr><th>{protocol}</th>{head}</tr>{''.join(lines)}</table></div>"


def _picture(results: Sequence[Result], position: int, target: Pixels, stem: Path) -> str:
    """One picture: a row of whole pictures, then a row for each crop."""
    columns = [
        Column(
            result.model,
            [f"{protocol} {_score(result, protocol, position)}" for protocol in result.scores],
            result.pictures[position],
        )
        for result in results
    ]
    columns.append(Column("HR", ["the target"], target))
    crops = find_crops(columns[0].pixels, target)
    rows = [_row(_whole(column, crops, f"{stem}-{i}.png") for i, column in enumerate(columns))]
    rows += [
        _row(_cut(column, crop, f"{stem}-{i}-{letter}.png") for i, column in enumerate(columns))
        for letter, crop in zip("ab", crops, strict=False)
    ]
    name = escape(results[0].names[position])
    body = f"<h3>{name}</h3><div class=wide>{''.join(rows)}</div>"
    return f"<article style='--columns:{len(columns)}'>{body}</article>"


def _row(figures: Iterable[str]) -> str:
    return f"<div class=row>{''.join(figures)}</div>"


def _whole(column: Column, crops: Iterable[Crop], file: str) -> str:
    height, width = column.pixels.shape[:2]
    frames = "".join(
        f"<i style='left:{100 * crop.left / width:.2f}%;top:{100 * crop.top / height:.2f}%;"
        f"width:{100 * crop.side / width:.2f}%;height:{100 * crop.side / height:.2f}%'></i>"
        for crop in crops
    )
    scores = "".join(f"<span>{escape(text)}</span>" for text in column.scores)
    source = _save(column.pixels, Path(file))
    image = f"<img loading=lazy src={source} alt='{escape(column.name)}' width={width} height={height}>"
    return (
        f"<figure><a href={source}>{image}{frames}</a>"
        f"<figcaption><b>{escape(column.name)}</b>{scores}</figcaption></figure>"
    )


def _cut(column: Column, crop: Crop, file: str) -> str:
    source = _save(crop.of(column.pixels), Path(file))
    attributes = f"alt='{escape(column.name)}, enlarged' width={crop.side} height={crop.side}"
    return f"<figure><img class=crop loading=lazy src={source} {attributes}></figure>"


def _save(pixels: Pixels, file: Path) -> str:
    """Write a PNG and return its address as the page sees it."""
    with replacing(file) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
    return f"pictures/{file.name}"


def _score(result: Result, protocol: str, position: int) -> str:
    psnr, ssim = result.scores[protocol][position]
    return f"{decibels(psnr)} dB, {ssim:.4f}"
