"""The page with pictures: bicubic, each model and the target side by side, and where they differ most.

Every picture has a map, on which whoever looks chooses with the pointer what all tiles show enlarged; the two
places where the first model (bicubic) is furthest off are marked, and the worse one is shown first.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.evaluate.columns import Column
from relume.evaluate.report import ORIGINAL, Report, Result, Row
from relume.files import make_folder, replacing, write_text

ZOOMS = (1, 2, 4, 8, 16)
_SMALLEST_CROP_PX = 80
_NUM_CROPS = 2
Pixels = NDArray[np.uint8]


class Crop(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int


class Tile(NamedTuple):
    """One picture among those side by side: whose it is, its scores, and the pixels."""

    name: str
    scores: Sequence[str]
    pixels: Pixels


def write_page(report: Report, folder: Path) -> Path:
    """Write ``report.html`` and ``pictures/*.png`` into a folder, made if need be; the page comes last.

    Raises:
        OutputError: if the folder cannot be made or written to.
    """
    make_folder(folder / "pictures")
    sections = [_section(report, index, name, folder) for index, name in enumerate(report.datasets)]
    page = folder / "report.html"
    write_text(page, _document(report, sections))
    return page


def default_zoom(picture: Pixels) -> int:
    """The largest zoom at which a crop of this picture still shows something."""
    return max((zoom for zoom in ZOOMS if min(picture.shape[:2]) // zoom >= _SMALLEST_CROP_PX), default=1)


def find_crops(picture: Pixels, target: Pixels, height: int, width: int) -> list[Crop]:
    """The crops in which two pictures of one size differ most, the worst first, and not side by side.

    Args:
        picture: HWC.
        target: HWC.
        height: of the crops, not above that of the pictures.
        width: likewise.
    """
    error = np.square(picture.astype(np.float64) - target).sum(axis=2)
    sums = np.pad(error, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    down, across = height * 3 // 2, width * 3 // 2
    crops: list[Crop] = []
    while len(crops) < _NUM_CROPS and np.isfinite(inside).any():
        top, left = (int(i) for i in np.unravel_index(np.argmax(inside), inside.shape))
        crops.append(Crop(top, left, height, width))
        inside[max(0, top - down + 1) : top + down, max(0, left - across + 1) : left + across] = -np.inf
    return crops


def _document(report: Report, sections: Iterable[str]) -> str:
    style, script = (
        files("relume.evaluate").joinpath(f"page.{kind}").read_text(encoding="utf-8")
        for kind in ("css", "js")
    )
    links = "".join(f'<a href="#data-{i}">{escape(name)}</a>' for i, name in enumerate(report.datasets))
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes())
    manifest = escape(json.dumps(report.manifest, indent=2, ensure_ascii=False))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>relume eval</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<h1>relume eval, ×{report.manifest['scale']}</h1>{_summary(report)}"
        "<p class=faint>↑ higher is better, ↓ lower is better, →0 nearer to zero is better</p>"
        f"<details><summary>how it was measured</summary><ul>{notes}</ul></details>"
        f"<nav>{links}</nav>{''.join(sections)}"
        f"<details><summary>manifest</summary><pre>{manifest}</pre></details><script>{script}</script></html>\n"
    )


def _summary(report: Report) -> str:
    """The result's table, with the best of each dataset and protocol marked."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in report.headings)
    rows = report.rows
    body: list[str] = []
    for row in rows:
        rivals = [other for other in rows if (other.dataset, other.protocol) == (row.dataset, row.protocol)]
        best = {column.heading for column in report.columns if _is_best(column, row, rivals)}
        cells = zip(report.headings, report.cells(row), strict=True)
        marked = [f"<td{' class=best' if heading in best else ''}>{escape(t)}</td>" for heading, t in cells]
        body.append(f"<tr{' class=last' if row is rivals[-1] else ''}>{''.join(marked)}</tr>")
    return f'<div class="wide summary"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _is_best(column: Column, row: Row, rivals: Sequence[Row]) -> bool:
    values = [column.badness(rival.values.get(column.key)) for rival in rivals if rival.model != ORIGINAL]
    known = [value for value in values if not math.isnan(value)]
    return row.model != ORIGINAL and column.badness(row.values.get(column.key)) == min(
        known, default=math.nan
    )


def _section(report: Report, index: int, dataset: str, folder: Path) -> str:
    """One dataset: the scores of all its pictures, and the first ones to look at."""
    results = report.of(dataset)
    restored = [result for result in results if result.model != ORIGINAL]
    num_images, num_shown = len(restored[0].names), len(restored[0].pictures)
    tables = "".join(_picture_scores(results, *column) for column in _scored(report))
    pictures = [
        _picture(report, results, position, pair.hq, folder / "pictures" / f"{index}-{position}")
        for position, pair in zip(range(num_shown), report.datasets[dataset], strict=False)
    ]
    legend = (
        f"{num_shown} of {num_images} pictures; choose on the map what is shown; "
        f"framed: where {restored[0].model} is furthest off"
    )
    return (
        f'<section id="data-{index}"><h2>{escape(dataset)}</h2><p class=faint>{escape(legend)}</p>'
        f"<details><summary>scores of every picture</summary>{tables}</details>{''.join(pictures)}</section>"
    )


def _scored(report: Report) -> Iterator[tuple[str, str, Column]]:
    """Title, protocol and column of every number that a picture gets."""
    protocols = list(report.manifest["protocols"])
    for column in report.columns:
        for protocol in protocols[:1] if column.note else protocols:
            named = column.note or len(protocols) == 1
            yield column.title if named else f"{column.title}, {protocol}", protocol, column


def _picture_scores(results: Sequence[Result], title: str, protocol: str, column: Column) -> str:
    head = "".join(f"<th>{escape(result.model)}</th>" for result in results)
    lines = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{_score(result, protocol, column, position)}</td>" for result in results)
        + "</tr>"
        for position, name in enumerate(results[0].names)
    ]
    return f"<div class=wide><table><tr><th>{escape(title)}</th>{head}</tr>{''.join(lines)}</table></div>"


def _score(result: Result, protocol: str, column: Column, position: int) -> str:
    return column.text(result.of(protocol, position).get(column.key))


def _picture(report: Report, results: Sequence[Result], position: int, target: Pixels, stem: Path) -> str:
    """One picture: the map, and a tile for each result and the target."""
    scores = {
        result.model: [
            f"{title} {_score(result, protocol, column, position)}"
            for title, protocol, column in _scored(report)
            if column.key in result.of(protocol, position)
        ]
        for result in results
    }
    tiles = [Tile(r.model, scores[r.model], r.pictures[position]) for r in results if r.model != ORIGINAL]
    tiles.append(Tile(ORIGINAL, scores.get(ORIGINAL, ["the target"]), target))
    zoom = default_zoom(target)
    crops = find_crops(tiles[0].pixels, target, *(side // zoom for side in target.shape[:2]))
    sources = [_save(tile.pixels, Path(f"{stem}-{index}.png")) for index, tile in enumerate(tiles)]
    figures = "".join(_figure(tile, source) for tile, source in zip(tiles, sources, strict=True))
    height, width = target.shape[:2]
    x, y = (min(start, 1 - 1 / zoom) for start in (crops[0].left / width, crops[0].top / height))
    return (
        f"<article style='--x:{x:.6f};--y:{y:.6f};--zoom:{zoom};--shape:{width}/{height}'>"
        f"<h3>{escape(results[0].names[position])} <span>{width}×{height}</span></h3>"
        f"<div class=compare>{_map(sources[-1], crops, width, height, zoom)}"
        f"<div class=tiles>{figures}</div></div></article>"
    )


def _map(source: str, crops: Iterable[Crop], width: int, height: int, zoom: int) -> str:
    """The whole target with the marked crops, what is shown now, and the buttons that enlarge."""
    frames = "".join(
        f"<i style='left:{100 * crop.left / width:.2f}%;top:{100 * crop.top / height:.2f}%;"
        f"width:{100 * crop.width / width:.2f}%;height:{100 * crop.height / height:.2f}%'></i>"
        for crop in crops
    )
    buttons = "".join(
        f"<button type=button data-zoom={z} aria-pressed={str(z == zoom).lower()}>{z}×</button>"
        for z in ZOOMS
    )
    return (
        f"<div class=side><div class=map><img loading=lazy src={source} alt='' draggable=false>"
        f"{frames}<b></b></div><div class=zooms>{buttons}</div></div>"
    )


def _figure(tile: Tile, source: str) -> str:
    scores = "".join(f"<span>{escape(text)}</span>" for text in tile.scores)
    return (
        f"<figure><div class=tile><img loading=lazy src={source} alt='{escape(tile.name)}'></div>"
        f"<figcaption><a href={source}>{escape(tile.name)}</a>{scores}</figcaption></figure>"
    )


def _save(pixels: Pixels, file: Path) -> str:
    """Write a PNG and return its address as the page sees it."""
    with replacing(file) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
    return f"pictures/{file.name}"
