"""Distillation: a trained network, frozen, whose results are targets for the one that trains.

Source: G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015. In
restoration the teacher's picture takes the place of its class probabilities.
"""

import itertools
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor

from relume.archs import Network, build
from relume.archs.base import weights_sha256
from relume.errors import InputError, UsageError
from relume.train.components import TeacherOptions
from relume.train.recipe import Recipe
from relume.train.recipe_files import recipe_from
from relume.train.state import find_weights, read_checkpoint, read_weights
from relume.zoo import CARD_KEY, read_card
from relume.zoo.headers import safetensors_metadata


class Teacher:
    """What a trained network makes of inputs, in its form for use and without gradients.

    Attributes:
        weights_sha256: hash of its weights.

    Raises:
        UsageError: if there is no such network, or it does not fit the recipe: another scale, or crops whose
            sides it cannot take.
        InputError: if its file cannot be read.
    """

    def __init__(self, options: TeacherOptions, recipe: Recipe, device: torch.device):
        network = load_trained(options.model)
        _require_fit(network, options.model, recipe)
        self.weights_sha256 = weights_sha256(network.state_dict())
        self._ensemble = options.ensemble
        layout = torch.channels_last if recipe.runtime.channels_last else torch.contiguous_format
        self._network = network.deployed().to(device, memory_format=layout)  # pyright: ignore[reportCallIssue]

    @torch.no_grad()
    def __call__(self, lq: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 sh sw"]:
        """Its results, clipped to [0, 1]; with an ensemble the mean over eight orientations."""
        if not self._ensemble:
            return self._network(lq).float().clamp(0, 1)
        ways = itertools.product(range(4), (False, True))
        results = [_turned_back(self._network(_turned(lq, *way)).float(), *way) for way in ways]
        return torch.stack(results).mean(0).clamp(0, 1)


def load_trained(source: str) -> Network:
    """A trained network from a run folder, a checkpoint or a ``.safetensors`` model.

    Raises:
        UsageError: if there is none.
        InputError: if the file cannot be read.
    """
    file = find_weights(source, "teacher.model")
    try:
        arch, options = _architecture(file)
        network = build(arch, options)
        network.load_state_dict(read_weights(file))
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{source} is no trained network",
            got=" ".join(str(error).split())[:200],
            allowed="a run folder, a checkpoint or a .safetensors model",
        ) from error
    return network


def _architecture(file: Path) -> tuple[str, dict[str, Any]]:
    if CARD_KEY in safetensors_metadata(file):
        card = read_card(file)
        return card.arch, card.arch_options
    recipe = recipe_from(read_checkpoint(file)[1]["recipe"], file)
    return recipe.arch.kind, recipe.arch_options


def _require_fit(network: Network, source: str, recipe: Recipe) -> None:
    if network.scale != recipe.scale:
        raise UsageError(
            f"the teacher {source} has another scale", got=f"×{network.scale}", allowed=f"×{recipe.scale}"
        )
    unit = network.scale * network.size_multiple
    if recipe.data.crop_px % unit:
        raise UsageError(
            f"the teacher {source} cannot take these crops",
            got=f"data.crop_px {recipe.data.crop_px}",
            allowed=f"multiples of {unit}",
        )


def _turned(x: Tensor, turns: int, mirrored: bool) -> Tensor:
    x = x.flip(3) if mirrored else x
    return x.rot90(turns, (2, 3))


def _turned_back(x: Tensor, turns: int, mirrored: bool) -> Tensor:
    x = x.rot90(-turns, (2, 3))
    return x.flip(3) if mirrored else x
