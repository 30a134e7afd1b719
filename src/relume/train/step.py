"""One training step: a generator block and a discriminator block, in the recipe's order.

A batch may be computed in parts (``runtime.accumulate``), and every process has a share of it: gradients are
those of the mean over all parts of all processes. For losses that are means over pictures this is the whole
batch's gradient. Batch norm takes its statistics from a part, and from the parts of all processes on CUDA;
relativistic losses compare with the mean of a part of all processes.

The host waits for the device once a block, where it decides whether the gradient can be used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from relume.losses.adversarial import ADVERSARIAL, Absolute, gradient_penalty
from relume.losses.checkerboard import checkerboard
from relume.losses.content import charbonnier, l1, mse
from relume.losses.perceptual import PerceptualLoss
from relume.losses.total_variation import total_variation
from relume.losses.vgg_weights import load_vgg19
from relume.metrics.checkerboard import period_of
from relume.train import processes
from relume.train.components import AdversarialOptions
from relume.train.recipe import Recipe
from relume.train.state import TrainState
from relume.train.teacher import Teacher

Networks = dict[str, Callable[..., Tensor]]
"""``generator`` and perhaps ``discriminator`` as they are called, possibly compiled."""

Stats = dict[str, Tensor]
"""What to log, as scalars; reading those on the device waits for it."""

PLACE = 1
"""Tells the seed of a crop's place in the gradient penalty from other seeds of that crop."""

PIXEL_LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier}


class Losses:
    """The generator's losses besides the adversarial one, with what they need loaded once.

    Attributes:
        frozen: which weights of other networks they use: ``vgg19`` of the perceptual loss and the
            ``teacher``; empty without one.

    Raises:
        InputError: if a perceptual loss is asked for and VGG19's weights are not there, or the teacher cannot
            be read.
        UsageError: if there is no teacher, or it does not fit.
    """

    def __init__(self, recipe: Recipe, device: torch.device):
        self._recipe = recipe
        self._perceptual: PerceptualLoss | None = None
        self._teacher = Teacher(recipe.teacher, recipe, device) if recipe.teacher else None
        self.frozen = {"vgg19": "", "teacher": self._teacher.weights_sha256 if self._teacher else ""}
        if options := recipe.perceptual:
            weights = load_vgg19()
            self.frozen["vgg19"] = str(weights.source)
            self._perceptual = PerceptualLoss(
                weights,
                options.taps,
                options.distance,
                normalise=options.normalise,
                divisor=options.divisor,
            ).to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def __call__(
        self, sr: Float[Tensor, "n 3 sh sw"], hq: Float[Tensor, "n 3 sh sw"], lq: Float[Tensor, "n 3 h w"]
    ) -> Stats:
        """Each weighted loss by name; pictures in [0, 1]."""
        recipe, losses = self._recipe, Stats()
        if recipe.loss:
            losses[recipe.loss] = recipe.loss_weight * PIXEL_LOSSES[recipe.loss](sr, hq)
        if self._perceptual and recipe.perceptual:
            losses["perceptual"] = recipe.perceptual.weight * self._perceptual(sr, hq)
        if self._teacher and recipe.teacher:
            losses["teacher"] = recipe.teacher.weight * l1(sr, self._teacher(lq))
        if recipe.total_variation:
            losses["total_variation"] = recipe.total_variation * total_variation(sr)
        if recipe.checkerboard:
            losses["checkerboard"] = recipe.checkerboard * checkerboard(sr, hq, period_of(recipe.scale))
        return losses


@dataclass
class Part:
    """What is computed at once of a batch.

    Attributes:
        lq: inputs in [0, 1].
        hq: targets in [0, 1].
        first: position of its first crop in the run, by which everything random about it is seeded.
        sr: results, once there are any; attached to the generator where it is to learn from them.
    """

    lq: Float[Tensor, "n 3 h w"]
    hq: Float[Tensor, "n 3 sh sw"]
    first: int
    sr: Float[Tensor, "n 3 sh sw"] | None = None


def train_step(
    state: TrainState,
    networks: Networks,
    losses: Losses,
    lq: UInt8[Tensor, "n 3 h w"],
    hq: UInt8[Tensor, "n 3 sh sw"],
) -> Stats:
    """Update the networks once.

    With several critic steps, only the last of them also updates the generator. A block whose gradient is not
    finite leaves its network's weights as they are; ``skipped`` counts them.

    Args:
        state: changed in place, the step counted.
        networks: those of the state, possibly compiled.
        losses: the generator's losses.
        lq: inputs, 0 … 255; this process's share of the batch.
        hq: targets, 0 … 255.
    """
    adversarial = state.recipe.adversarial
    generating = not adversarial or (state.step + 1) % adversarial.critic_steps == 0
    step = Step(state, networks, losses, _parts(state, lq, hq), generating)
    statistics, stats = state.running_statistics(), Stats()
    before = [statistic.clone() for statistic in statistics]
    if adversarial and adversarial.first == "discriminator":
        stats |= step.discriminator_block(adversarial)
    if generating:
        stats |= step.generator_block()
    if adversarial and adversarial.first == "generator":
        stats |= step.discriminator_block(adversarial)
    stats["skipped"] = torch.stack([stats.pop(key) for key in list(stats) if key.endswith("unusable")]).sum()
    processes.average(statistics)
    if stats["skipped"]:  # NaN that went through batch norm would stay in them
        for statistic, old in zip(statistics, before, strict=True):
            statistic.copy_(old)
    elif generating:
        state.update_ema()
    state.step += 1
    return processes.mean(stats | _health(stats, step.parts), state.device)


def _parts(state: TrainState, lq: Tensor, hq: Tensor) -> list[Part]:
    recipe = state.recipe
    first = state.step * recipe.batch_size + processes.rank() * len(lq)
    size = len(lq) // recipe.runtime.accumulate
    pairs = zip(_unit(lq, state).split(size), _unit(hq, state).split(size), strict=True)
    return [Part(*pair, first=first + i * size) for i, pair in enumerate(pairs)]


@dataclass(frozen=True)
class Step:
    """What the two blocks share; see :func:`train_step`.

    Attributes:
        state: the networks and optimisers.
        networks: how the networks are called.
        losses: the generator's losses.
        parts: the batch.
        generating: whether the generator is updated too.
    """

    state: TrainState
    networks: Networks
    losses: Losses
    parts: Sequence[Part]
    generating: bool

    def generator_block(self) -> Stats:
        """Update the generator."""
        return self._update("generator", self._generator_loss)

    def discriminator_block(self, options: AdversarialOptions) -> Stats:
        """Update the discriminator: once, or on real and then on generated pictures."""
        if options.joint:
            return self._update("discriminator", self._discriminator_loss, "d/")
        on_real = self._update("discriminator", self._loss_on_real, "d/real_")
        return on_real | self._update("discriminator", self._loss_on_fake, "d/fake_")

    def _generator_loss(self, part: Part) -> tuple[Tensor, Stats]:
        """All losses; on their way back they meet at the result, where it is seen how hard each pulls."""
        sr = self._restored(part, attached=True)
        shown, warmup = sr.detach().requires_grad_(), 1.0
        with _autocast(self.state):
            losses = self.losses(shown, part.hq, part.lq)
            if options := self.state.recipe.adversarial:
                warmup = min(1.0, (self.state.step + 1) / (options.warmup_steps + 1))
                losses["adversarial"] = options.weight * warmup * self._fooling(options, part, shown)
        gradients = {name: torch.autograd.grad(value, shown)[0] for name, value in losses.items()}
        onwards = (torch.stack(list(gradients.values())).sum(0) * (sr - shown.detach())).sum()
        stats = {f"loss/{name}": value.detach() for name, value in losses.items()}
        pulls = {f"pull/{name}": _pull(gradient) for name, gradient in gradients.items()}
        if "pull/adversarial" in pulls:
            pulls["pull/adversarial"] /= warmup
        return torch.stack(list(stats.values())).sum() + onwards, stats | pulls

    def _fooling(self, options: AdversarialOptions, part: Part, sr: Tensor) -> Tensor:
        """The generator's adversarial loss; no gradient is kept for the discriminator."""
        judge, loss = self.networks["discriminator"], ADVERSARIAL[options.loss]
        self.state.networks["discriminator"].requires_grad_(False)
        with torch.no_grad():
            real = judge(part.hq, part.lq) if loss.needs_real else None
        fooled = loss.generator(judge(sr, part.lq), real)
        self.state.networks["discriminator"].requires_grad_(True)
        return fooled

    def _discriminator_loss(self, part: Part) -> tuple[Tensor, Stats]:
        options = self.state.recipe.adversarial
        assert options
        judge, loss = self.networks["discriminator"], ADVERSARIAL[options.loss]
        sr = self._restored(part).detach()
        with _autocast(self.state):
            real, fake = judge(part.hq, part.lq), judge(sr, part.lq)
        total = loss.discriminator(real, fake)
        if loss.needs_penalty:
            critic = self.state.networks["discriminator"]
            places = _places(self.state.recipe.seed, part)
            total = total + options.penalty * gradient_penalty(critic, part.hq, sr, part.lq, places=places)
        return total, {"d/real": _mean(real), "d/fake": _mean(fake)}

    def _loss_on_real(self, part: Part) -> tuple[Tensor, Stats]:
        with _autocast(self.state):
            real = self.networks["discriminator"](part.hq, part.lq)
        return self._absolute_loss().real(real.float()).mean(), {"d/real": _mean(real)}

    def _loss_on_fake(self, part: Part) -> tuple[Tensor, Stats]:
        sr = self._restored(part).detach()
        with _autocast(self.state):
            fake = self.networks["discriminator"](sr, part.lq)
        return self._absolute_loss().fake(fake.float()).mean(), {"d/fake": _mean(fake)}

    def _absolute_loss(self) -> Absolute:
        options = self.state.recipe.adversarial
        assert options
        loss = ADVERSARIAL[options.loss]
        assert isinstance(loss, Absolute), "the recipe allows no other losses here"
        return loss

    def _restored(self, part: Part, *, attached: bool = False) -> Tensor:
        """The results of a part, the same for both blocks; computed where they are needed first.

        They are attached to the generator for its own block, and where the batch is one part also before it.
        Of several parts only one may be attached at a time: they are then computed once more.
        """
        if part.sr is None or (attached and not part.sr.requires_grad):
            torch.manual_seed(hash((self.state.recipe.seed, part.first)))
            attached = attached or (self.generating and len(self.parts) == 1)
            with _autocast(self.state), torch.set_grad_enabled(attached):
                part.sr = self.networks["generator"](part.lq).float()
        assert part.sr is not None
        return part.sr

    def _update(self, name: str, loss_of: Callable[[Part], tuple[Tensor, Stats]], prefix: str = "") -> Stats:
        """One optimiser step for a network, unless its gradient is not finite."""
        state = self.state
        options, optimizer = state.optimizer_options(name), state.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = options.lr * state.recipe.schedule.at(state.step, state.recipe.steps)
        optimizer.zero_grad(set_to_none=True)
        found: list[Stats] = []
        for part in self.parts:
            loss, stats = loss_of(part)
            (loss / len(self.parts)).backward()
            found.append(stats | {f"{prefix}loss": loss.detach()})
        gradients = [p.grad for p in state.networks[name].parameters() if p.grad is not None]
        processes.average(gradients)
        norm = torch.nn.utils.get_total_norm(gradients)
        usable = torch.isfinite(norm).cpu()  # here the host waits for the device
        if usable and options.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(state.networks[name].parameters(), options.clip_norm, norm)
        if usable:
            optimizer.step()
        means = {key: torch.stack([stats[key] for stats in found]).mean(0) for key in found[0]}
        return means | {f"{prefix}grad_norm": norm, f"{prefix}unusable": ~usable}


def _places(seed: int, part: Part) -> Float[Tensor, " n"]:
    """Where the gradient penalty looks: a random place for each crop, whichever process has it."""
    positions = range(part.first, part.first + len(part.hq))
    generators = (torch.Generator().manual_seed(hash((seed, position, PLACE))) for position in positions)
    return torch.stack([torch.rand((), generator=generator) for generator in generators])


def _pull(gradient: Tensor) -> Tensor:
    """Root mean square of a loss's gradient on the result, times the number of values: L1's is its weight."""
    return gradient.norm() * gradient.numel() ** 0.5


def _mean(logits: Tensor) -> Tensor:
    return logits.detach().float().mean()


def _health(stats: Stats, parts: Sequence[Part]) -> Stats:
    """What tells how adversarial training goes: the margin, and whether colours move.

    Colour drift is the mean of (downscaled result − input) per channel, in levels of 255.
    """
    drift = torch.stack([_drift(part) for part in parts]).mean(0) * 255
    found = {f"colour_drift/{channel}": value for channel, value in zip("rgb", drift, strict=True)}
    if "d/real" in stats:
        found["d/margin"] = stats["d/real"] - stats["d/fake"]
    return found


def _drift(part: Part) -> Float[Tensor, "3"]:
    assert part.sr is not None
    height, width = part.lq.shape[-2:]
    return (F.adaptive_avg_pool2d(part.sr.detach(), (height, width)) - part.lq).mean(dim=(0, 2, 3))


def _unit(pixels: UInt8[Tensor, "n c h w"], state: TrainState) -> Float[Tensor, "n c h w"]:
    """0 … 255 on the host or the device -> [0, 1] on the device, in the networks' memory layout."""
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
