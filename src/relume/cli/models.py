"""List the models that come with relume: scale, size, licence and measured scores."""

import json as json_module
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relume.zoo import ModelFile

HEADINGS = ("model", "task", "scale", "MB", "licence", "scores (PSNR dB / SSIM)", "")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print the whole cards, one JSON object a line")


def run(json: bool) -> int:
    """Do it; see the module's text."""
    from relume.zoo import list_models

    models = list_models()
    if json:
        for model in models:
            print(json_module.dumps({"path": str(model.path), **json_module.loads(model.card.to_json())}))
        return 0
    rows = [HEADINGS, *map(_row, models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(model: "ModelFile") -> Sequence[str]:
    card = model.card
    megabytes = model.path.stat().st_size / 1e6
    scores = ", ".join(
        f"{score.dataset} {score.psnr:.2f}/{score.ssim:.4f}"
        for score in card.scores
        if score.protocol == "matlab"
    )
    return card.name, card.task, f"×{card.scale}", f"{megabytes:.1f}", card.licence, scores, card.description
