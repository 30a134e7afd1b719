"""The models in the wheel, and model files anywhere: finding them, checking them, reading their cards."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from relume.card import ModelCard, Task
from relume.errors import InputError, UsageError
from relume.files import write_text
from relume.suggestions import did_you_mean
from relume.zoo.headers import onnx_metadata, safetensors_metadata

FOLDER = Path(__file__).parent
"""Where the wheel keeps its models; ``index.json`` there holds size and SHA-256 of each."""

PREFERRED_FAMILIES = ("compact-small",)
"""Of several models of one task, those that are used when nothing is asked: quick on ordinary processors."""

CARD_KEY = "relume_card"
"""The card's key in the metadata of a model file."""


@dataclass(frozen=True)
class ModelFile:
    """A model file and what its card says.

    Attributes:
        path: ``.onnx`` or ``.safetensors``.
        card: the card in it.
    """

    path: Path
    card: ModelCard


def list_models() -> list[ModelFile]:
    """The models in the wheel, by name."""
    return [ModelFile(path, read_card(path)) for path in sorted(FOLDER.glob("*.onnx"))]


def default_model(task: Task = "upscale") -> str:
    """The family that is used for a task when no model is asked for.

    Raises:
        UsageError: if no model in the wheel does this.
    """
    families = [family_of(model.card.name) for model in list_models() if model.card.task == task]
    if not families:
        raise UsageError(f"relume comes without a model to {task} yet", hint="give one with -n MODEL")
    return next((family for family in families if family in PREFERRED_FAMILIES), families[0])


def find_model(
    name_or_path: str, scale: float | None = None, task: Task | None = None, *, int8: bool = False
) -> ModelFile:
    """The model of this name, whole and unchanged, or in this file.

    Args:
        name_or_path: full name (``compact-small-x4``), family (``compact-small``), or path of a model file.
        scale: which of a family: the smallest that is not below this, or else the largest.
        task: what it must do; None: whatever it does.
        int8: of a family, take the model in 8 bits if there is one.

    Raises:
        UsageError: if there is no such model or file, or it has another task.
        InputError: if the file is damaged, has no card, or is not the one that the wheel was made with.
    """
    path = Path(name_or_path)
    if path.suffix in {".onnx", ".safetensors"}:
        if not path.is_file():
            raise UsageError("there is no such model file", got=name_or_path)
    else:
        name = _full_name(name_or_path, scale)
        path = FOLDER / f"{name}.onnx"
        path = _in_8_bits(path) if int8 and name != name_or_path else path
        _verify(path)
    card = read_card(path)
    if task not in {None, card.task}:
        raise UsageError(
            f"{name_or_path} is no model to {task}",
            got=f"one to {card.task}",
            hint=f"use `relume {card.task}` or relume.{card.task}, or choose another model",
        )
    return ModelFile(path, card)


def in_float32(model: ModelFile) -> ModelFile:
    """The model that one in 8 bits was made of and lies beside; any other as it is.

    Raises:
        UsageError: if it is not there.
    """
    if model.card.precision == "float32":
        return model
    path = model.path.with_name(f"{model.path.stem.removesuffix('-int8')}.onnx")
    if not path.exists() or _in_8_bits(path) != model.path:
        raise UsageError(f"{model.path} is in 8 bits", hint=f"this needs {path.name}, the same in float32")
    return ModelFile(path, read_card(path))


def read_card(path: Path) -> ModelCard:
    """The card in a model file, without loading the model.

    Raises:
        InputError: if the file cannot be read, is no model file or has no card.
    """
    read = onnx_metadata if path.suffix == ".onnx" else safetensors_metadata
    try:
        text = read(path).get(CARD_KEY)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no model file", got=error, allowed="a whole .onnx or .safetensors"
        ) from error
    if text is None:
        raise InputError(f"{path} has no relume card", hint="make it with `relume export`")
    return ModelCard.from_json(text)


def write_index(folder: Path = FOLDER) -> Path:
    """Write ``index.json`` for the models in a folder; part of a release.

    Raises:
        OutputError: if the folder is not writable.
    """
    index = {path.name: _fingerprint(path) for path in sorted(folder.glob("*.onnx"))}
    write_text(folder / "index.json", json.dumps(index, indent=2) + "\n")
    return folder / "index.json"


def _full_name(name: str, scale: float | None) -> str:
    names = {path.stem for path in FOLDER.glob("*.onnx")}
    if name in names:
        return name
    scales = sorted(
        int(n.removeprefix(f"{name}-x")) for n in names if re.fullmatch(re.escape(name) + r"-x\d+", n)
    )
    if scales:
        enough = (s for s in scales if scale is not None and s >= scale)
        return f"{name}-x{next(enough, scales[-1])}"
    if name and Path(name).is_dir():
        raise UsageError(
            "a folder is no model", got=name, hint=f"relume export {name} -o model.onnx makes one of a run"
        )
    known = sorted(names | {*map(family_of, names)})
    raise UsageError(
        "unknown model",
        got=name,
        allowed=known,
        hint=did_you_mean(name, known) or "or the path of an .onnx or .safetensors file",
    )


def _in_8_bits(path: Path) -> Path:
    """The file in 8 bits that was made of this one, or else this one."""
    quantised = path.with_name(f"{path.stem}-int8.onnx")
    made_of_it = quantised.exists() and read_card(quantised).weights_sha256 == read_card(path).weights_sha256
    return quantised if made_of_it else path


def family_of(name: str) -> str:
    """A model's name without its scale and precision: ``compact-small`` of ``compact-small-x4-int8``."""
    return re.sub(r"-x\d+(-int8)?$", "", name)


def _verify(path: Path) -> None:
    index = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    if _fingerprint(path) != index.get(path.name):
        raise InputError(
            f"the model {path} is not the one relume came with",
            hint="install relume again; to run a model of your own, give its path",
        )


def _fingerprint(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
