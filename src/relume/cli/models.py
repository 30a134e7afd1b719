"""List the models that come with relume: scale, size, licence and measured scores.

With --cards a page with pictures is written for each; needs relume[train].

    relume models --cards docs/model-cards
"""

import json as json_module
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, get_args

from relume.card import ModelCard, Task
from relume.cli.extras import extra

if TYPE_CHECKING:
    from relume.zoo import ModelFile

TASKS: Sequence[Task] = get_args(Task)

HEADINGS = ("model", "task", "scale", "default for", "MB", "licence")

WIDTH = 80
"""Columns of the list: those of the narrowest terminals."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("--json", action="store_true", help="print the whole cards, one JSON object a model")
    add("--cards", type=Path, metavar="DIR", help="write a page about each, with pictures")
    add(
        "--samples",
        type=Path,
        metavar="DIR",
        default=Path("examples"),
        help="pictures for --cards (default: examples)",
    )


def run(json: bool, cards: Path | None, samples: Path) -> int:
    """Do it; see the module's text."""
    from relume.zoo import list_models

    models = list_models()
    if cards:
        with extra("train"):
            from relume.modelcards import write_cards
        write_cards(models, cards, samples, print)
        return 0
    defaults = {path: use for task in TASKS for path, use in _defaults(task, models).items()}
    if json:
        for model in models:
            about = {"path": str(model.path), "default_for": defaults.get(model.path)}
            print(json_module.dumps({**about, **json_module.loads(model.card.to_json())}))
        return 0
    rows = [HEADINGS, *(_row(model, defaults.get(model.path, "")) for model in models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, model in zip(rows, [None, *models], strict=True):
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        for text in _about(model.card) if model else ():
            print(fill(text, WIDTH, initial_indent="    ", subsequent_indent="    "))
    note = "Defaults are those of this machine, without -n; a scale between two takes the larger one's."
    print(f"\n{fill(note, WIDTH)}")
    return 0


def _defaults(task: Task, models: "Sequence[ModelFile]") -> dict[Path, str]:
    """The models that are taken for a task if none is named, and for what they are."""
    from relume.backends import prefers_int8
    from relume.zoo import default_model, family_of, find_model

    if task not in {model.card.task for model in models}:
        return {}
    family, int8 = default_model(task), prefers_int8()
    scales = sorted({model.card.scale for model in models if family_of(model.card.name) == family})
    uses = {find_model(family, scale, int8=int8).path: f"{task} -s {scale}" for scale in scales}
    return uses | {find_model(family, int8=int8).path: f"{task}"}


def _row(model: "ModelFile", default: str) -> Sequence[str]:
    card = model.card
    megabytes = model.path.stat().st_size / 1e6
    return (
        card.name,
        card.task,
        f"×{card.scale}",
        default,
        f"{megabytes:.1f}",
        card.licence,
    )


def _about(card: ModelCard) -> Iterator[str]:
    """What does not fit into a row."""
    if card.description:
        yield card.description
    if scores := ", ".join(
        f"{score.dataset} {score.psnr:.2f}/{score.ssim:.4f}" for score in card.main_scores
    ):
        yield f"PSNR in dB/SSIM: {scores}"
