"""All that a training run carries from step to step, and its way to disk and back."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from relume.archs import Network, build
from relume.archs.base import weights_sha256
from relume.archs.upsampling import start_even
from relume.errors import InputError, UsageError
from relume.files import replacing
from relume.train import processes
from relume.train.components import AdamOptions
from relume.train.recipe import Recipe
from relume.train.recipe_files import recipe_from

FROZEN = {"vgg19": ("VGG19", "RELUME_VGG19"), "teacher": ("the teacher", "teacher.model")}
"""Networks that the losses use: how they are called, and where their weights are named."""


@dataclass
class TrainState:
    """Networks, optimisers and position of a run.

    Randomness needs no state: data is seeded from (seed, position), everything else from (seed, step).

    Attributes:
        recipe: what is trained.
        networks: ``generator`` and its running mean ``ema``; adversarial training adds ``discriminator``.
        optimizers: by the name of the network they update.
        data: fingerprint of the training pictures; empty until they are decoded.
        frozen: which weights of other networks the losses use, by the name of the network; see
            :class:`relume.train.step.Losses`.
        step: steps done.
        best: best validation score so far.
    """

    recipe: Recipe
    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    frozen: Mapping[str, str] = field(default_factory=dict[str, str])
    data: str = ""
    step: int = 0
    best: float = float("-inf")

    @property
    def generator(self) -> Network:
        """The network that is trained to restore."""
        network = self.networks["generator"]
        assert isinstance(network, Network)
        return network

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.generator.parameters()).device

    def optimizer_options(self, name: str) -> AdamOptions:
        """The recipe's options for the optimiser of a network."""
        if name == "generator":
            return self.recipe.optimizer
        assert self.recipe.adversarial is not None
        return self.recipe.adversarial.optimizer

    @property
    def averaged(self) -> Network:
        """The generator's running mean, which is validated and exported."""
        network = self.networks.get("ema", self.networks["generator"])
        assert isinstance(network, Network)
        return network

    @classmethod
    def start(
        cls, recipe: Recipe, device: torch.device, frozen: Mapping[str, str] | None = None
    ) -> "TrainState":
        """Fresh networks, or those of ``recipe.initial_weights``."""
        torch.manual_seed(recipe.seed)
        generator = build(recipe.arch.kind, recipe.arch_options)
        if recipe.data.crop_px % (recipe.scale * generator.size_multiple):
            raise UsageError(
                f"{recipe.arch.kind} cannot train on crops of this side",
                got=f"data.crop_px {recipe.data.crop_px}",
                allowed=f"multiples of {recipe.scale * generator.size_multiple}",
            )
        if recipe.even_upsampling:
            start_even(generator)
        if recipe.initial_weights:
            _load(generator, recipe.initial_weights, recipe.initial_scale or recipe.scale, recipe.scale)
        if recipe.fixed_statistics:
            for layer in generator.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        layout = torch.channels_last if recipe.runtime.channels_last else torch.contiguous_format
        networks: dict[str, nn.Module] = {"generator": generator}
        if recipe.ema:
            networks["ema"] = deepcopy(generator).requires_grad_(False)
        if recipe.adversarial:
            networks["discriminator"] = recipe.adversarial.build()
        for network in networks.values():
            network.to(device, memory_format=layout)  # type: ignore[call-overload]
        if processes.count() > 1 and device.type == "cuda":  # gloo, between CPUs, has no such thing
            networks |= {
                name: nn.SyncBatchNorm.convert_sync_batchnorm(network) for name, network in networks.items()
            }
        state = cls(recipe, networks, {}, frozen or {})
        for name in [name for name in networks if name != "ema"]:  # in one order in all processes
            options = state.optimizer_options(name)
            state.optimizers[name] = torch.optim.Adam(
                networks[name].parameters(),
                lr=options.lr,
                betas=options.betas,
                fused=device.type == "cuda",
            )
        return state

    @classmethod
    def resume(
        cls, recipe: Recipe, checkpoint: Path, device: torch.device, frozen: Mapping[str, str] | None = None
    ) -> "TrainState":
        """The state that :meth:`save` wrote, by any number of processes.

        Raises:
            InputError: if the file is damaged or was written under another recipe or with other weights of
                VGG19 or the teacher.
        """
        tensors, header = read_checkpoint(checkpoint)
        require_same_past(recipe, recipe_from(header["recipe"], checkpoint), header["step"])
        for name, weights in (frozen or {}).items():
            if header.get(name, weights) != weights:  # checkpoints of before do not tell
                raise InputError(
                    f"the checkpoint was trained with other weights of {FROZEN[name][0]}",
                    got=weights,
                    allowed=header[name],
                    hint=f"set {FROZEN[name][1]} to that file",
                )
        state = cls.start(recipe.model_copy(update={"initial_weights": ""}), device, frozen)
        state.recipe, state.data = recipe, header["data"]
        state.step, state.best = header["step"], header["best"]
        for name, network in state.networks.items():
            network.load_state_dict(_below(tensors, f"networks.{name}."))
        for name, optimizer in state.optimizers.items():
            _load_optimizer(optimizer, _below(tensors, f"optimizers.{name}."))
        return state

    def decided_by(self) -> dict[str, Any]:
        """What has to be the same in all processes that train together, beside the data, by name."""
        return {
            **self.recipe.deciding(),
            "runtime.accumulate": self.recipe.runtime.accumulate,
            "device": self.device.type,
            **self.frozen,
            "step": self.step,
            "weights": weights_sha256(self.generator.state_dict()),
        }

    def use_data(self, data: str) -> None:
        """Train on the pictures with this fingerprint.

        Raises:
            InputError: if it trained on others until now.
        """
        if self.data not in ("", data):
            raise InputError(
                "the checkpoint was trained on other pictures",
                hint="restore the data, or start a new run folder with initial_weights",
            )
        self.data = data

    def save(self, path: Path) -> None:
        """Write everything to one ``.safetensors`` file."""
        tensors: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            tensors |= {f"networks.{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizers.{name}.{index}.{key}": value for key, value in values.items()}
        header = {
            "recipe": self.recipe.resolved(),
            "data": self.data,
            **self.frozen,
            "step": self.step,
            "best": self.best,
        }
        with replacing(path) as temporary:
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
                temporary,
                metadata={"relume_checkpoint": json.dumps(header, sort_keys=True)},
            )

    def running_statistics(self) -> list[Tensor]:
        """What batch norm gathers, in all networks that train."""
        modules = [layer for name in self.optimizers for layer in self.networks[name].modules()]
        layers = [layer for layer in modules if layer.training]
        found = (getattr(layer, name, None) for layer in layers for name in ("running_mean", "running_var"))
        return [statistic for statistic in found if statistic is not None]

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the running mean towards the generator, statistics of batch norm included.

        The generator's own statistics would not do: they cover about ten batches, and belong to its
        weights of now.
        """
        if "ema" not in self.networks:
            return
        mean, now = self.networks["ema"], self.networks["generator"]
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        get_ema_multi_avg_fn(decay)(list(mean.parameters()), list(now.parameters()), self.step)
        for kept, new in zip(mean.buffers(), now.buffers(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a checkpoint.

    Raises:
        InputError: if it is damaged or no checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, json.loads((file.metadata() or {})["relume_checkpoint"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} is no checkpoint of relume", got=error, hint="delete it to resume from the one before"
        ) from error


def find_weights(source: str, key: str) -> Path:
    """A checkpoint or ``.safetensors`` model, or the newest checkpoint of a run folder.

    Raises:
        UsageError: if there is none; ``key`` is the recipe's that names it.
    """
    path = Path(source)
    found = newest_checkpoint(path) if path.is_dir() else path
    if found is None or not found.exists():
        raise UsageError(
            f"there is no {key}",
            got=source,
            allowed="a run folder or .safetensors file",
            hint=f"train it first, or {key}=PATH names another",
        )
    return found


def read_weights(checkpoint: Path) -> dict[str, Tensor]:
    """The generator's weights in a checkpoint or ``.safetensors`` model: their running mean, if there is one.

    Raises:
        SafetensorError: if it is neither.
    """
    with safe_open(checkpoint, framework="pt") as file:
        keys = list(file.keys())
        prefix = next(
            (p for p in ("networks.ema.", "networks.generator.") if any(k.startswith(p) for k in keys)), ""
        )
        return {key.removeprefix(prefix): file.get_tensor(key) for key in keys if key.startswith(prefix)}


def _load(network: nn.Module, source: str, from_scale: int, scale: int) -> None:
    fresh = network.state_dict()
    try:
        weights = read_weights(find_weights(source, "initial_weights"))
    except (SafetensorError, OSError) as error:
        raise InputError(f"cannot start from {source}", got=error, allowed="weights of a network") from error
    if from_scale != scale:
        weights = {k: _rescaled(v, fresh.get(k, v), from_scale, scale) for k, v in weights.items()}
    equal = {k: v for k, v in weights.items() if k in fresh and v.shape == fresh[k].shape}
    if from_scale != scale and len(equal) > len(fresh) / 2:
        weights = fresh | equal
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"cannot start from {source}",
            got=f"{len(weights)} tensors, of which {len(equal)} fit",
            allowed=f"the {len(fresh)} of this network, of equal arch options",
        ) from error


def _rescaled(weights: Tensor, fresh: Tensor, from_scale: int, scale: int) -> Tensor:
    """Weights of a layer that makes all sub-pixels at once, for fewer: each is the mean of those there."""
    factor, rest = divmod(from_scale, scale)
    if rest or not weights.ndim or len(weights) % from_scale**2:
        return weights
    if (len(weights), weights.shape[1:]) != (len(fresh) * factor**2, fresh.shape[1:]):
        return weights
    return weights.unflatten(0, (-1, scale, factor, scale, factor)).mean((2, 4)).flatten(0, 2)


def step_of(checkpoint: Path) -> int:
    """The step at which a checkpoint ``step-*.safetensors`` was written."""
    return int(checkpoint.stem.removeprefix("step-"))


def newest_checkpoint(run_dir: Path) -> Path | None:
    """The checkpoint with the highest step in a run folder."""
    return max((run_dir / "checkpoints").glob("step-*.safetensors"), default=None)


def require_same_past(recipe: Recipe, saved: Recipe, step: int) -> None:
    """Refuse to resume when the steps done so far would have been different ones.

    Keys that do not decide may change, and ``steps`` as long as no learning rate so far does.

    Raises:
        InputError: naming every difference.
    """
    new, old = recipe.deciding(), saved.deciding()
    differences = [
        f"{key}: {old.get(key)} -> {new.get(key)}"
        for key in sorted(new.keys() | old.keys())
        if new.get(key) != old.get(key) and key != "steps"
    ]
    if any(recipe.schedule.at(s, recipe.steps) != saved.schedule.at(s, saved.steps) for s in range(step)):
        differences.append(
            f"steps: {saved.steps} -> {recipe.steps} changes the learning rate of steps already done"
        )
    if differences:
        raise InputError(
            "the checkpoint was written under another recipe",
            got="; ".join(differences),
            hint="undo the change, or start a new run folder with initial_weights",
        )


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
