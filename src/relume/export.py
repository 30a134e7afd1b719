"""From a training run to a model file: merged weights, card and a proof that they agree."""

import json
import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.export import Dim

from relume.archs import Network, build
from relume.archs.base import fewest_parameters, weights_sha256
from relume.backends import open_backend
from relume.backends.base import cannot_load
from relume.card import ModelCard, Score
from relume.errors import InputError, UsageError
from relume.files import replacing
from relume.train.recipe import Recipe
from relume.train.recipe_files import recipe_from
from relume.train.state import newest_checkpoint, read_checkpoint
from relume.zoo import CARD_KEY, read_card
from relume.zoo.headers import safetensors_metadata

PARITY_SIZES = ((1, 1), (17, 23), (64, 64), (37, 101))
"""Heights and widths at which a written file is compared with the network it came from."""

LARGEST_DIFFERENCE = 1e-4
"""Largest difference allowed then, in units of the [0, 1] range."""

OPSET = 18


@dataclass(frozen=True)
class Parity:
    """How far a written file is from the network in training.

    Attributes:
        height: input rows.
        width: input columns.
        max_abs_diff: largest difference in units of the [0, 1] range.
    """

    height: int
    width: int
    max_abs_diff: float


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: the model file.
        card: the card in it.
        num_parameters: learned values of the network, as papers count them.
        parity: comparisons at several sizes.
    """

    path: Path
    card: ModelCard
    num_parameters: int
    parity: tuple[Parity, ...]


def export(run: Path, out: Path, *, scores: Path | None = None) -> ExportReport:
    """Write a trained model.

    Args:
        run: run folder (its newest checkpoint), a checkpoint, or a ``.safetensors`` of this function.
        out: ``.onnx`` (merged, what runs) or ``.safetensors`` (what trains on, and runs on a GPU). The
            model's name is the recipe's.
        scores: result of ``relume eval --json``; the rows of the model go onto the card.

    Raises:
        UsageError: if ``out`` has another suffix.
        InputError: if there is no checkpoint, or the written file does not compute what the network does.
        OutputError: if it cannot be written.
    """
    if out.suffix not in {".onnx", ".safetensors"}:
        raise UsageError("unknown model format", got=out.name, allowed=(".onnx", ".safetensors"))
    checkpoint = newest_checkpoint(run) if run.is_dir() else run
    if checkpoint is None or not checkpoint.exists():
        raise InputError(
            f"{run} holds no checkpoint",
            allowed="a run folder, a checkpoint, a .safetensors; for --int8 an .onnx, too",
        )
    network, card = _exported(checkpoint) if _is_exported(checkpoint) else _trained(checkpoint)
    if scores:
        card = replace(card, scores=read_scores(scores, card.name))
    with replacing(out) as temporary:
        write_model(network, card, temporary)
        parity = _parity(network.eval(), card, temporary)
    return ExportReport(out, card, fewest_parameters(network), parity)


def write_model(network: Network, card: ModelCard, path: Path) -> None:
    """Write a network and its card: merged as ``.onnx``, as it trains as ``.safetensors``."""
    if path.suffix == ".onnx":
        _write_onnx(network.deployed(), card, path)
    else:
        tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(tensors, path, metadata={CARD_KEY: card.to_json()})


BASES = ("bicubic", "input")
"""Rows of an evaluation that its models are compared with."""


def read_scores(path: Path, model: str) -> tuple[Score, ...]:
    """The rows of one model in the JSON file of ``relume eval``.

    Raises:
        InputError: if the file is no such JSON or has no row of the model.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        numbers = {
            (row["model"], row["dataset"], row["protocol"]): (round(row["psnr"], 3), round(row["ssim"], 4))
            for row in rows
            if row["model"] in {model, *BASES}
        }
        scores = tuple(
            Score(dataset=dataset, protocol=protocol, psnr=psnr, ssim=ssim, base=base)
            for (name, dataset, protocol), (psnr, ssim) in numbers.items()
            for base in [_base(numbers, dataset, protocol)]
            if name == model
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no result of `relume eval --json`", got=error) from error
    if not scores:
        raise InputError(f"{path} has no row of {model}")
    return scores


def _base(
    numbers: dict[tuple[str, str, str], tuple[float, float]], dataset: str, protocol: str
) -> tuple[float, ...]:
    """What bicubic enlargement, or else the input, was measured at; nothing where that was not."""
    found = (numbers.get((name, dataset, protocol)) for name in BASES)
    return next(filter(None, found), ())


def _is_exported(weights: Path) -> bool:
    try:
        return CARD_KEY in safetensors_metadata(weights)
    except (OSError, ValueError):
        return False


def _exported(weights: Path) -> tuple[Network, ModelCard]:
    card = read_card(weights)
    network = build(card.arch, card.arch_options)
    try:
        network.load_state_dict(load_file(weights))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise cannot_load(weights, error) from error
    return network, card


def _trained(checkpoint: Path) -> tuple[Network, ModelCard]:
    tensors, header = read_checkpoint(checkpoint)
    recipe = recipe_from(header["recipe"], checkpoint)
    network = build(recipe.arch.kind, recipe.arch_options)
    prefix = "networks.ema." if recipe.ema else "networks.generator."
    network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    steps = f"{header['step']:,} steps of {recipe.batch_size} crops of {recipe.data.crop_px} px"
    run = checkpoint.parent.parent
    hours = _hours(run / "metrics.jsonl", header["step"])
    card = replace(
        recipe.card(network),
        training=", ".join(
            filter(None, (steps, _begun(recipe), hours, _hardware(run / "environment.json"), _taught(recipe)))
        ),
        perceptual_weights=header.get("vgg19", ""),
        weights_sha256=weights_sha256(network.state_dict()),
    )
    return network, card


def _hours(metrics: Path, step: int) -> str:
    """Wall time of the run up to a step, as far as its log tells."""
    if not metrics.exists():
        return ""
    seconds = 0.0
    for line in metrics.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # cut off while being written
            continue
        seconds += row.get("seconds", 0.0) if row["step"] <= step else 0.0
    return f"{seconds / 3600:.1f} hours" if seconds else ""


def _hardware(environment: Path) -> str:
    """Where the run was last at work, as far as it tells."""
    try:
        told = json.loads(environment.read_text(encoding="utf-8"))
        num = told["processes"]
        return told["device"] if num == 1 else f"{num} × {told['device']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _begun(recipe: Recipe) -> str:
    return f"from {Path(recipe.initial_weights).stem}" if recipe.initial_weights else ""


def _taught(recipe: Recipe) -> str:
    return f"taught by {Path(recipe.teacher.model).stem}" if recipe.teacher else ""


def _write_onnx(network: Network, card: ModelCard, path: Path) -> None:
    side = max(8, card.size_multiple)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # from inside torch.export
        program = torch.onnx.export(
            network,
            (torch.rand(2, card.channels, 3 * side, 4 * side),),
            input_names=["lq"],
            output_names=["sr"],
            dynamic_shapes=(
                {0: Dim("n"), 2: card.size_multiple * Dim("h"), 3: card.size_multiple * Dim("w")},
            ),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.doc_string = card.description
    for part in (model, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]  # torch notes there where on this machine each line of the network stands
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, path)


def _parity(network: Network, card: ModelCard, path: Path) -> tuple[Parity, ...]:
    backend = open_backend(path, card, device="cpu")
    found: list[Parity] = []
    for height, width in PARITY_SIZES:
        height, width = (-(-side // card.size_multiple) * card.size_multiple for side in (height, width))
        lq = torch.rand(1, card.channels, height, width, generator=torch.Generator().manual_seed(height))
        with torch.inference_mode():
            expected = network(lq).clamp(0, 1).permute(0, 2, 3, 1).numpy()
        sr = backend.run(lq.permute(0, 2, 3, 1).contiguous().numpy())
        found.append(Parity(height, width, float(abs(expected - sr).max())))
    backend.close()
    worst = max(found, key=lambda parity: parity.max_abs_diff)
    if not worst.max_abs_diff <= LARGEST_DIFFERENCE:
        raise InputError(
            "the exported file does not compute what the network does",
            got=f"a difference of {worst.max_abs_diff:.2g} at {worst.height}×{worst.width}",
            allowed=f"≤ {LARGEST_DIFFERENCE}",
        )
    return tuple(found)
