"""One training step: a generator block and a discriminator block, in the recipe's order."""

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from relume.losses.adversarial import ADVERSARIAL, Absolute, AdversarialLoss, gradient_penalty
from relume.losses.content import charbonnier, l1, mse
from relume.losses.perceptual import PerceptualLoss
from relume.losses.total_variation import total_variation
from relume.losses.vgg_weights import load_vgg19
from relume.train.components import AdversarialOptions
from relume.train.recipe import Recipe
from relume.train.state import TrainState

Forward = Callable[[Float[Tensor, "n 3 h w"]], Float[Tensor, "n 3 sh sw"]]
Stats = dict[str, Tensor]
"""What to log, as scalars on the device; reading them waits for it."""

PIXEL_LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier}


class Losses:
    """The generator's losses besides the adversarial one, with what they need loaded once.

    Raises:
        InputError: if a perceptual loss is asked for and VGG19's weights are not there.
    """

    def __init__(self, recipe: Recipe, device: torch.device):
        self._recipe = recipe
        self._perceptual: PerceptualLoss | None = None
        if options := recipe.perceptual:
            self._perceptual = PerceptualLoss(
                load_vgg19(),
                options.taps,
                options.distance,
                normalise=options.normalise,
                divisor=options.divisor,
            ).to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def __call__(self, sr: Float[Tensor, "n 3 h w"], hq: Float[Tensor, "n 3 h w"]) -> Stats:
        """Each weighted loss by name; pictures in [0, 1]."""
        recipe, losses = self._recipe, Stats()
        if recipe.loss:
            losses[recipe.loss] = recipe.loss_weight * PIXEL_LOSSES[recipe.loss](sr, hq)
        if self._perceptual and recipe.perceptual:
            losses["perceptual"] = recipe.perceptual.weight * self._perceptual(sr, hq)
        if recipe.total_variation:
            losses["total_variation"] = recipe.total_variation * total_variation(sr)
        return losses


def train_step(
    state: TrainState,
    forward: Forward,
    losses: Losses,
    lq: UInt8[Tensor, "n 3 h w"],
    hq: UInt8[Tensor, "n 3 sh sw"],
) -> Stats:
    """Update the networks once.

    With several critic steps, only the last of them also updates the generator. A block whose gradient is not
    finite leaves its network's weights as they are; ``skipped`` counts them.

    Args:
        state: changed in place, the step counted.
        forward: the generator, possibly compiled.
        losses: the generator's losses.
        lq: inputs, 0 … 255.
        hq: targets, 0 … 255.
    """
    recipe, adversarial = state.recipe, state.recipe.adversarial
    torch.manual_seed(hash((recipe.seed, state.step)))
    inputs, targets = _unit(lq, state), _unit(hq, state)
    generating = not adversarial or (state.step + 1) % adversarial.critic_steps == 0
    with _autocast(state), torch.set_grad_enabled(generating):
        sr = forward(inputs).float()
    stats: Stats = {}
    for block in (
        ("generator", "discriminator") if _generator_first(recipe) else ("discriminator", "generator")
    ):
        if block == "generator" and generating:
            stats |= _generator_block(state, losses, inputs, sr, targets)
        if block == "discriminator" and adversarial:
            stats |= _discriminator_block(state, adversarial, inputs, sr.detach(), targets)
    state.step += 1
    return stats | _colour_drift(inputs, sr.detach()) | {"skipped": _num_skipped(stats)}


def _generator_block(state: TrainState, losses: Losses, lq: Tensor, sr: Tensor, hq: Tensor) -> Stats:
    with _autocast(state):
        parts = losses(sr, hq)
        if options := state.recipe.adversarial:
            warmup = min(1.0, (state.step + 1) / (options.warmup_steps + 1))
            parts["adversarial"] = options.weight * warmup * _fooling(state, options, lq, sr, hq)
    loss = torch.stack(list(parts.values())).sum()
    norm = _update(state, "generator", loss)
    if torch.isfinite(norm):
        state.update_ema()
    return {"loss": loss.detach(), "grad_norm": norm} | {
        f"loss/{n}": part.detach() for n, part in parts.items()
    }


def _fooling(state: TrainState, options: AdversarialOptions, lq: Tensor, sr: Tensor, hq: Tensor) -> Tensor:
    """The generator's adversarial loss; no gradient is kept for the discriminator."""
    judge, loss = state.networks["discriminator"], ADVERSARIAL[options.loss]
    judge.requires_grad_(False)
    with torch.no_grad():
        real = judge(hq, lq) if loss.needs_real else None
    fooled = loss.generator(judge(sr, lq), real)
    judge.requires_grad_(True)
    return fooled


def _discriminator_block(
    state: TrainState, options: AdversarialOptions, lq: Tensor, sr: Tensor, hq: Tensor
) -> Stats:
    judge, loss = state.networks["discriminator"], ADVERSARIAL[options.loss]
    if not options.joint:
        return _updates_apart(state, loss, lq, sr, hq)
    with _autocast(state):
        real, fake = judge(hq, lq), judge(sr, lq)
    total = loss.discriminator(real, fake) + _penalty(judge, loss, options, lq, sr, hq)
    norm = _update(state, "discriminator", total)
    return _judgements(real, fake) | {"d/loss": total.detach(), "d/grad_norm": norm}


def _updates_apart(state: TrainState, loss: AdversarialLoss, lq: Tensor, sr: Tensor, hq: Tensor) -> Stats:
    """One discriminator update on real pictures, then one on generated ones."""
    assert isinstance(loss, Absolute), "the recipe allows no other losses here"
    judge = state.networks["discriminator"]
    with _autocast(state):
        real = judge(hq, lq)
    on_real = loss.real(real.float()).mean()
    real_norm = _update(state, "discriminator", on_real)
    with _autocast(state):
        fake = judge(sr, lq)
    on_fake = loss.fake(fake.float()).mean()
    norms = {"d/real_grad_norm": real_norm, "d/grad_norm": _update(state, "discriminator", on_fake)}
    return _judgements(real, fake) | norms | {"d/loss": (on_real + on_fake).detach()}


def _judgements(real: Tensor, fake: Tensor) -> Stats:
    return {"d/real": real.detach().float().mean(), "d/fake": fake.detach().float().mean()}


def _penalty(
    judge: nn.Module, loss: AdversarialLoss, options: AdversarialOptions, lq: Tensor, sr: Tensor, hq: Tensor
) -> Tensor:
    if not loss.needs_penalty:
        return sr.new_zeros(())
    return options.penalty * gradient_penalty(judge, hq, sr, lq)


def _update(state: TrainState, name: str, loss: Tensor) -> Tensor:
    """One optimiser step for a network, unless its gradient is not finite; the gradient's norm."""
    recipe, optimizer = state.recipe, state.optimizers[name]
    options = state.optimizer_options(name)
    for group in optimizer.param_groups:
        group["lr"] = options.lr * recipe.schedule.at(state.step, recipe.steps)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    limit = options.clip_norm or float("inf")
    norm = torch.nn.utils.clip_grad_norm_(state.networks[name].parameters(), limit)
    if torch.isfinite(norm):
        optimizer.step()
    return norm.detach()


def _num_skipped(stats: Stats) -> Tensor:
    """How many blocks of the step had no finite gradient."""
    norms = [value for name, value in stats.items() if name.endswith("grad_norm")]
    return (~torch.isfinite(torch.stack(norms))).sum()


def _colour_drift(lq: Tensor, sr: Tensor) -> Stats:
    """Mean of (downscaled result − input) per channel, in levels of 255."""
    drift = (F.adaptive_avg_pool2d(sr, (lq.shape[-2], lq.shape[-1])) - lq).mean(dim=(0, 2, 3)) * 255
    return {f"colour_drift/{name}": value for name, value in zip("rgb", drift, strict=True)}


def _generator_first(recipe: Recipe) -> bool:
    return recipe.adversarial is None or recipe.adversarial.first == "generator"


def _unit(pixels: UInt8[Tensor, "n c h w"], state: TrainState) -> Float[Tensor, "n c h w"]:
    """0 … 255 on the host -> [0, 1] on the networks' device and in their memory layout."""
    layout = torch.channels_last if state.recipe.runtime.channels_last else torch.contiguous_format
    return pixels.to(state.device, non_blocking=True).to(torch.float32, memory_format=layout) / 255


def _autocast(state: TrainState) -> torch.autocast:
    enabled = _bf16(state.recipe.runtime.precision, state.device)
    return torch.autocast(state.device.type, torch.bfloat16, enabled=enabled)


def _bf16(precision: str, device: torch.device) -> bool:
    if precision == "auto":
        return device.type == "cuda" or (device.type == "cpu" and _cpu_multiplies_bf16())
    return precision == "bf16"


@cache
def _cpu_multiplies_bf16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16"))
