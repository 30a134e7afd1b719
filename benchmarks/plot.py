"""Work against PSNR at ×4: the models in the package and published ones, as docs/images/work-psnr.svg.

    python benchmarks/plot.py

Published models have no weights here, so their speed cannot be measured honestly: what is compared is the
work, in multiply-adds for 1280×720 pixels out, as papers give it. PSNR is on Set14, protocol ``matlab``.
"""

from math import log10
from pathlib import Path

from relume.backends.openvino import num_products
from relume.zoo import family_of, list_models

OUT = Path(__file__).parents[1] / "docs/images/work-psnr.svg"
PUBLISHED = {  # 10⁹ multiply-adds, PSNR on Set14
    "IMDN": (41, 28.58),
    "SwinIR-light": (50, 28.77),
    "EDSR-baseline": (114, 28.58),
    "RRDB": (1033, 28.99),
}
"""Papers: Hui 2019, Liang 2021, Lim 2017, Wang 2018."""

WIDTH, HEIGHT, MARGIN = 640, 400, 60
WORK, PSNR = (3, 2000), (26.5, 29.2)


def main() -> None:
    """Write the picture."""
    own = {
        family_of(file.card.name): (num_products(file.path, 64) * 1280 * 720 / 256**2 / 1e9, score.psnr)
        for file in list_models()
        if file.card.scale == 4 and file.card.precision == "float32"
        for score in file.card.scores
        if (score.dataset, score.protocol) == ("Set14", "matlab")
    }
    parts = [*axes(), *points(PUBLISHED, "#777"), *points(own, "#c33")]
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    OUT.write_text("\n".join([f'{start} font-size="13">', *parts, "</svg>"]) + "\n", encoding="utf-8")


def place(work: float, psnr: float) -> tuple[float, float]:
    """Where a model lies in the picture; work on a logarithmic axis."""
    across = log10(work / WORK[0]) / log10(WORK[1] / WORK[0])
    up = (psnr - PSNR[0]) / (PSNR[1] - PSNR[0])
    return MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)


def axes() -> list[str]:
    """Background, grid and labels."""
    lines = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for work in (10, 100, 1000):
        x, bottom = place(work, PSNR[0])
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{MARGIN}" y2="{bottom:.0f}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.0f}" y="{bottom + 18:.0f}" text-anchor="middle">{work}</text>')
    for psnr in (26.5, 27.0, 27.5, 28.0, 28.5, 29.0):
        x, y = place(WORK[0], psnr)
        lines.append(f'<line x1="{x:.0f}" x2="{WIDTH - MARGIN}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>')
        lines.append(f'<text x="{x - 8:.0f}" y="{y + 4:.0f}" text-anchor="end">{psnr}</text>')
    middle, low = WIDTH / 2, HEIGHT - 15
    lines.append(
        f'<text x="{middle}" y="{low}" text-anchor="middle">10⁹ multiply-adds for 1280×720 out</text>'
    )
    lines.append(f'<text x="{MARGIN}" y="35">PSNR on Set14, ×4, dB; red: relume, grey: as published</text>')
    return lines


def points(models: dict[str, tuple[float, float]], colour: str) -> list[str]:
    """A dot and a name for each model."""
    lines: list[str] = []
    for name, at in models.items():
        x, y = place(*at)
        lines.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="{colour}"/>')
        lines.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{name}</text>')
    return lines


if __name__ == "__main__":
    main()
