"""What names of results end in, unless ``--suffix`` says otherwise."""

from typing import TYPE_CHECKING

from relume.card import ModelCard
from relume.cli.film import Size
from relume.errors import UsageError

if TYPE_CHECKING:
    from relume.zoo import ModelFile


def ending_of(model: "ModelFile", size: Size) -> str:
    """Such as -x4, for a size in pixels -1920w, -1080h or -1920x1080, or -deblurred.

    A model that is not the default one, or a file, has its name before that, so that results of several
    models may lie side by side: -srgan-x4.

    Args:
        model: what makes them.
        size: of the results, as asked.
    """
    from relume.zoo import family_of

    name = "" if _is_default(model) else f"-{family_of(model.path.stem)}"
    return name + _result(model.card, size)


def _is_default(model: "ModelFile") -> bool:
    from relume.zoo import FOLDER, default_model, family_of

    try:
        default = default_model(model.card.task)
    except UsageError:  # there is none for this task
        return False
    return model.path.parent == FOLDER and family_of(model.path.stem) == default


def _result(card: ModelCard, size: Size) -> str:
    if card.task == "deblur":
        return "-deblurred"
    scale, width, height = (size.get(key) for key in ("scale", "width", "height"))
    if width and height:
        return f"-{width}x{height}"
    if width or height:
        return f"-{width}w" if width else f"-{height}h"
    return f"-x{scale or card.scale:g}"
