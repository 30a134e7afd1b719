"""The curves of a run as one SVG picture: losses, scores, the two players, gradients, colours, speed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from xml.sax.saxutils import escape

WIDTH_PX, HEIGHT_PX, MARGIN_PX = 480, 240, 56
MOST_POINTS = 300
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito's, which colour-blind people can tell apart."""

Row = Mapping[str, float | None]
Points = list[tuple[float, float]]
"""Step and value."""


@dataclass(frozen=True)
class Panel:
    """One diagram.

    Attributes:
        title: what it shows, with the unit.
        names: names of rows' entries, or beginnings of names that end in ``/``.
        logarithmic: whether equal factors are equally far apart, where all values are positive.
    """

    title: str
    names: tuple[str, ...]
    logarithmic: bool = False


PANELS = (
    Panel("losses of the generator, weighted", ("loss", "loss/"), logarithmic=True),
    Panel("pull of each loss at the result (that of L1 is its weight)", ("pull/",), logarithmic=True),
    Panel("validation PSNR (dB)", ("validation/psnr",)),
    Panel("validation: checkerboard (levels of 255)", ("validation/checkerboard",)),
    Panel("judgements of the discriminator (logits)", ("d/real", "d/fake", "d/margin")),
    Panel("loss of the discriminator", ("d/loss", "d/real_loss", "d/fake_loss")),
    Panel("norms of gradients", ("grad_norm", "d/grad_norm", "d/real_grad_norm", "d/fake_grad_norm"), True),
    Panel("colour drift (levels of 255)", ("colour_drift/",)),
    Panel("speed (images/s)", ("images_per_s",)),
    Panel("part of the time spent waiting for data", ("data_wait",)),
)


def draw_curves(rows: Sequence[Row]) -> str:
    """An SVG picture of the panels for which there is something in a run's rows of metrics."""
    drawn = [(panel, curves) for panel in PANELS if (curves := _curves(panel, rows))]
    columns = 2
    height = math.ceil(len(drawn) / columns) * HEIGHT_PX
    size = f'width="{columns * WIDTH_PX}" height="{height}" viewBox="0 0 {columns * WIDTH_PX} {height}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for number, (panel, curves) in enumerate(drawn):
        left, top = number % columns * WIDTH_PX, number // columns * HEIGHT_PX
        parts.append(f'<g transform="translate({left} {top})">{_panel(panel, curves)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _curves(panel: Panel, rows: Sequence[Row]) -> dict[str, Points]:
    """Name -> points, of the names that a panel shows."""
    curves: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            shown = name in panel.names or any(n.endswith("/") and name.startswith(n) for n in panel.names)
            if shown and value is not None:
                curves.setdefault(name, []).append((row["step"] or 0, value))
    return {name: _thinned(points) for name, points in curves.items()}


def _thinned(points: Points) -> Points:
    """At most :data:`MOST_POINTS`, each the mean of consecutive ones."""
    size = math.ceil(len(points) / MOST_POINTS)
    groups = (points[i : i + size] for i in range(0, len(points), size))
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


@dataclass(frozen=True)
class Axis:
    """From values to pixels.

    Attributes:
        low: value at the beginning.
        high: value at the end.
        start_px: place of the beginning.
        end_px: place of the end.
        logarithmic: whether equal factors are equally far apart.
    """

    low: float
    high: float
    start_px: float
    end_px: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Pixels of a value."""
        low, high, at = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        part = (at - low) / (high - low) if high > low else 0.5
        return self.start_px + part * (self.end_px - self.start_px)

    def ticks(self) -> list[float]:
        """Five values, evenly spaced on the axis."""
        if self.high <= self.low:
            return [self.low]
        if self.logarithmic:
            return [self.low * (self.high / self.low) ** (i / 4) for i in range(5)]
        return [self.low + (self.high - self.low) * i / 4 for i in range(5)]


def _panel(panel: Panel, curves: dict[str, Points]) -> str:
    steps, values = zip(*chain.from_iterable(curves.values()), strict=True)
    x = Axis(min(steps), max(steps), MARGIN_PX, WIDTH_PX - 16)
    logarithmic = panel.logarithmic and min(values) > 0
    y = Axis(min(values), max(values), HEIGHT_PX - 28, 48, logarithmic)
    parts = [f'<text x="{MARGIN_PX}" y="18" font-size="13">{escape(panel.title)}</text>']
    parts += [_horizontal(y.place(tick), tick) for tick in y.ticks()]
    parts += [_label(x.place(tick), HEIGHT_PX - 12, f"{tick:.0f}", "middle") for tick in x.ticks()]
    left = float(MARGIN_PX)
    for colour, (name, points) in zip(_colours(len(curves)), curves.items(), strict=True):
        parts.append(_line([(x.place(step), y.place(value)) for step, value in points], colour))
        parts.append(f'<text x="{left:.0f}" y="34" fill="{colour}">{escape(name)}</text>')
        left += 7 * len(name) + 8
    return "".join(parts)


def _horizontal(y: float, value: float) -> str:
    line = f'<path d="M{MARGIN_PX} {y:.1f}H{WIDTH_PX - 16}" stroke="#ddd"/>'
    return line + _label(MARGIN_PX - 6, y + 4, f"{value:.3g}", "end")


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#555" text-anchor="{anchor}">{text}</text>'


def _line(places: Points, colour: str) -> str:
    if len(places) == 1:
        return f'<circle cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="2" fill="{colour}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'


def _colours(number: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(number)]
