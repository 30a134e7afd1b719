"""Model cards for people: a page a model, from the cards in the model files and from sample pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

from relume.errors import InputError
from relume.files import make_folder, replacing, write_text
from relume.image import READABLE_SUFFIXES
from relume.model import open_model
from relume.modelcards.pictures import draw_sheets
from relume.modelcards.text import index, page
from relume.zoo import ModelFile

__all__ = ["INDEX", "index", "page", "write_cards"]

INDEX = "README.md"
"""The page that lists the others."""

QUALITY = 80
"""Of the sheets, as WebP."""


def write_cards(
    models: Sequence[ModelFile], folder: Path, samples: Path, tell: Callable[[Path], None] = lambda _: None
) -> None:
    """Write ``NAME.md`` and ``NAME-*.webp`` for every model, then ``README.md``, which lists them.

    Args:
        models: what to write about.
        folder: made if missing; other files in it stay as they are.
        samples: folder of pictures that anyone may use.
        tell: called with every page that is written.

    Raises:
        InputError: if there is no sample picture, or one cannot be read.
        OutputError: if the folder cannot be written to.
    """
    pictures = sorted(path for path in samples.glob("*") if path.suffix.lower() in READABLE_SUFFIXES)
    if not pictures:
        raise InputError(f"there are no sample pictures in {samples}", hint="name a folder by --samples")
    make_folder(folder)
    for model in models:
        with open_model(str(model.path)) as opened:
            sheets = draw_sheets(opened, pictures)
        for name, sheet in sheets.items():
            with replacing(folder / f"{model.card.name}-{name}.webp") as temporary:
                sheet.save(temporary, "WEBP", quality=QUALITY, method=6)
        tell(_write(folder / f"{model.card.name}.md", page(model)))
    tell(_write(folder / INDEX, index(models)))


def _write(target: Path, text: str) -> Path:
    write_text(target, text)
    return target
