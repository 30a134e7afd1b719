"""Quality of all models in the package, beside published networks: writes docs/quality.md.

    python benchmarks/quality.py ../shared/data

The folder holds ``eval/Set5``, ``eval/Set14`` and ``eval/BSD100``, and for models that need them
``faces/eval`` and ``blur/gopro_pairs/eval``. Needs VGG19's weights (RELUME_VGG19). Takes some minutes.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relume.card import ModelCard
from relume.cli.progress import progress_bar
from relume.evaluate import Report, evaluate
from relume.files import replacing
from relume.zoo import list_models

TARGET = Path(__file__).parents[1] / "docs" / "quality.md"

SETS = ("eval/Set5", "eval/Set14", "eval/BSD100")

PUBLISHED_X4 = {
    "EDSR-baseline": ("1.52 M", "32.09/.8938", "28.58/.7813", "27.57/.7357"),
    "SRResNet (re-implementations)": ("1.52 M", "32.16/.8938", "28.57/.7815", "27.56/.7367"),
    "IMDN": ("715 K", "32.21/.8948", "28.58/.7811", "27.56/.7353"),
    "RFDN": ("550 K", "32.24/.8952", "28.61/.7819", "27.57/.7360"),
    "SwinIR-light": ("897 K", "32.44/.8976", "28.77/.7858", "27.69/.7406"),
    "SRGAN": ("1.52 M", "30.67/.8627", "27.12/.7321", "26.22/.6867"),
}
"""Network -> parameters, and PSNR in dB and SSIM on the three sets, protocol ``matlab``."""

HEADER = """# Quality

All models in the package, measured as files by the engine that users run. One command writes this page; give
it again when weights change:

```sh
python benchmarks/quality.py ../shared/data
```

It is `relume eval` for all models at once: the first table is `relume eval -s 4 --data Set5 Set14 BSD100`.
PSNR in dB and SSIM by the [protocol](reference.md#protocols-of-relume-eval) `matlab`; higher is better.
[Model cards](model-cards/README.md) tell what each was trained on, and show where it fails.
"""

PUBLISHED_NOTE = """
In italics: as published. Those were trained on the 800 pictures of DIV2K or more, for days of a GPU.
"""

PERCEPTUAL = """
**To the eye.** NIQE tells how natural a picture looks without knowing the truth, VGG19 how far its features
(relu5_4) are from the truth's; lower is better for both. In levels of 255: the checkerboard that layers which
enlarge leave, and the largest mean change of a channel's colour.
"""

KINDS = ("NIQE", "VGG19", "checkerboard", "colours")

WEIGHTS = """
## Weights

The first digits of the hash on each card, by which these numbers belong to the files:
"""


@dataclass(frozen=True)
class Section:
    """Models that are measured alike.

    Attributes:
        title: of the section.
        chosen: which models belong here.
        scale: output pixels per input pixel and side.
        sets: folders below the data.
        perceptual: folders for the second table, of what PSNR does not see.
        published: rows of others.
        size: what pairs are reduced to.
        text: what there is to know about the numbers.
    """

    title: str
    chosen: Callable[[ModelCard], bool]
    scale: int
    sets: Sequence[str]
    perceptual: Sequence[str] = ()
    published: Iterable[tuple[str, tuple[str, ...]]] = ()
    size: tuple[int, int] | None = None
    text: str = ""


def enlarges(scale: int) -> Callable[[ModelCard], bool]:
    """Models for pictures of any kind."""
    return lambda card: card.task == "upscale" and card.scale == scale and not is_for_faces(card)


def is_for_faces(card: ModelCard) -> bool:
    """Models that were trained on portraits."""
    return card.name.startswith("faces-")


def deblurs(card: ModelCard) -> bool:
    """Models that take blur out."""
    return card.task == "deblur"


GOPRO = "Seven real pairs of the GOPRO dataset, protocol `rgb`. The row to beat is the blurred input.\n"

SECTIONS = (
    Section("×4", enlarges(4), 4, SETS, SETS[:2], PUBLISHED_X4.items()),
    Section("×3", enlarges(3), 3, SETS),
    Section("×2", enlarges(2), 2, SETS),
    Section("Faces, ×4", is_for_faces, 4, ("faces/eval",), ("faces/eval",)),
    Section("Deblurring, 640×360", deblurs, 1, ("blur/gopro_pairs/eval",), size=(640, 360), text=GOPRO),
    Section("Deblurring, 1280×720", deblurs, 1, ("blur/gopro_pairs/eval",), text=GOPRO),
)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    options = parser.parse_args()
    text = HEADER + "".join(part for section in SECTIONS for part in measured(section, options.data))
    hashes = [(model.card.name, model.card.weights_sha256[:16]) for model in list_models()]
    text += WEIGHTS + "\n" + table(["model", "weights"], hashes) + "\n"
    with replacing(options.output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(options.output)


def measured(section: Section, data: Path) -> Iterator[str]:
    """The text of a section; nothing if the package has no such model."""
    cards = {model.card.name: model.card for model in list_models() if section.chosen(model.card)}
    if not cards:
        return
    yield f"\n## {section.title}\n\n{section.text and section.text + chr(10)}"
    report = run(section, list(cards), [data / name for name in section.sets], ["psnr", "ssim"])
    others = [published(*row) for row in section.published]
    yield (
        table(["", *report.datasets], [*fidelity(report), *others])
        + "\n"
        + (PUBLISHED_NOTE if others else "")
    )
    if section.perceptual:
        folders = [data / name for name in section.perceptual]
        report = run(section, list(cards), folders, ["niqe", "vgg19", "drift", "checkerboard"])
        headings = [f"{kind} {name}" for name in report.datasets for kind in KINDS]
        yield f"{PERCEPTUAL}\n" + table(["", *headings], perceptual(report)) + "\n"


def run(section: Section, models: list[str], folders: list[Path], measures: list[str]) -> Report:
    """``relume eval``, with its progress bar."""
    with progress_bar() as advance:
        return evaluate(
            models,
            folders,
            (),
            measures,
            scale=section.scale,
            size=section.size,
            num_shown=0,
            progress=advance,
        )


def fidelity(report: Report) -> Iterator[list[str]]:
    """A row a model: PSNR and SSIM on every set."""
    for model, values in by_model(report):
        if any("psnr" in found for found in values):
            yield [named(model), *(f"{v['psnr']:.2f}/{short(v['ssim'])}" for v in values)]


def perceptual(report: Report) -> Iterator[list[str]]:
    """A row a model: NIQE, distance in VGG19 and change of colours on every set."""
    columns = {column.key: column for column in report.columns}
    drift = [key for key in columns if key.startswith("drift")]
    for model, values in by_model(report):
        cells: list[str] = []
        for found in values:
            cells += [columns[key].text(found.get(key)) for key in ("niqe", "vgg19", "checkerboard")]
            moved = [abs(found[key]) for key in drift if key in found]
            cells.append(f"{max(moved):.2f}" if moved else "–")
        yield [named(model), *cells]


def by_model(report: Report) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Every model with its means on each set."""
    for model in dict.fromkeys(row.model for row in report.rows):
        yield model, [dict(row.values) for row in report.rows if row.model == model]


def published(name: str, numbers: tuple[str, ...]) -> list[str]:
    """A row from a paper."""
    parameters, *scores = numbers
    return [f"*{name}, published, {parameters}*", *(f"*{score}*" for score in scores)]


def named(model: str) -> str:
    """Models as code, what needs none as words."""
    return model if model in {"bicubic", "input", "original"} else f"`{model}`"


def short(ssim: float) -> str:
    """``.8102``, as papers write it."""
    return f"{ssim:.4f}".removeprefix("0")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, numbers to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
