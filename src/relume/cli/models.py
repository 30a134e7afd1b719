"""List the models that come with relume: scale, size, licence and measured scores.

With --cards a page with pictures is written for each; needs relume[train].

    relume models --cards docs/model-cards
"""

import json as json_module
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from relume.cli.extras import extra

if TYPE_CHECKING:
    from relume.zoo import ModelFile

HEADINGS = ("model", "task", "scale", "MB", "licence", "scores (PSNR dB / SSIM)", "")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("--json", action="store_true", help="print the whole cards, one JSON object a line")
    add("--cards", type=Path, metavar="DIR", help="write a page about each, with pictures")
    add("--samples", type=Path, metavar="DIR", default=Path("examples"), help="pictures for --cards")


def run(json: bool, cards: Path | None, samples: Path) -> int:
    """Do it; see the module's text."""
    from relume.zoo import list_models

    models = list_models()
    if cards:
        with extra("train"):
            from relume.modelcards import write_cards
        write_cards(models, cards, samples, print)
        return 0
    default = _default()
    if json:
        for model in models:
            about = {"path": str(model.path), "default": model.path == default.path}
            print(json_module.dumps({**about, **json_module.loads(model.card.to_json())}))
        return 0
    rows = [HEADINGS, *map(_row, models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print(f"\nrelume upscale takes {default.card.name} on this machine, unless -n or -s asks for another.")
    return 0


def _default() -> "ModelFile":
    """What enlarges pictures when nothing is asked."""
    from relume.backends import prefers_int8
    from relume.zoo import default_model, find_model

    return find_model(default_model(), int8=prefers_int8("auto"))


def _row(model: "ModelFile") -> Sequence[str]:
    card = model.card
    megabytes = model.path.stat().st_size / 1e6
    scores = ", ".join(
        f"{score.dataset} {score.psnr:.2f}/{score.ssim:.4f}"
        for score in card.scores
        if score.protocol == "matlab"
    )
    return card.name, card.task, f"×{card.scale}", f"{megabytes:.1f}", card.licence, scores, card.description
