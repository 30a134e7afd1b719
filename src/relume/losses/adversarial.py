"""Adversarial losses of discriminator and generator, and the gradient penalty of Wasserstein critics.

All take logits (no sigmoid) of any shape, single values or patches, average over everything and compute in
float32 or better, whatever the logits' precision. The mean over equal parts of a batch is the loss of the
batch, so accumulated gradients and DDP give those of the whole batch. Relativistic losses compare with the
mean of a batch: under DDP that is the batch of all processes, which must then all call the loss; with
accumulation it is only the part at hand, and the mean over the parts is another loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Pointwise = Callable[[Tensor], Tensor]


class AdversarialLoss(Protocol):
    """What discriminator and generator minimise.

    Attributes:
        needs_real: whether the generator needs the logits of real pictures.
        needs_penalty: whether the discriminator is a critic that needs :func:`gradient_penalty`.
    """

    @property
    def needs_real(self) -> bool: ...

    @property
    def needs_penalty(self) -> bool: ...

    def discriminator(
        self, real_logits: Float[Tensor, "*logits"], fake_logits: Float[Tensor, "*logits"]
    ) -> Float[Tensor, ""]:
        """Loss of the discriminator, which must have seen generated pictures detached."""
        ...

    def generator(
        self, fake_logits: Float[Tensor, "*logits"], real_logits: Float[Tensor, "*logits"] | None = None
    ) -> Float[Tensor, ""]:
        """Loss of the generator; ``real_logits`` (computed without gradient) where ``needs_real``."""
        ...


@dataclass(frozen=True)
class Absolute:
    """E[real(D(x))] + E[fake(D(G(z)))] for the discriminator, E[fooled(D(G(z)))] for the generator.

    Attributes:
        real: loss of a logit that should say "real".
        fake: loss of a logit that should say "fake".
        fooled: the generator's loss of its pictures' logit.
        needs_penalty: see :class:`AdversarialLoss`.
    """

    real: Pointwise
    fake: Pointwise
    fooled: Pointwise
    needs_penalty: bool = False
    needs_real: bool = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.real(_widened(real_logits)).mean() + self.fake(_widened(fake_logits)).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return self.fooled(_widened(fake_logits)).mean()


@dataclass(frozen=True)
class RelativisticAverage:
    """E[real(D(x) − E D(G(z)))] + E[fake(D(G(z)) − E D(x))]; for the generator with x and G(z) exchanged.

    Source: A. Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN",
    ICLR 2019, section 4.3.

    Attributes:
        real: loss of a logit that should be above the mean of the other kind.
        fake: loss of a logit that should be below it.
    """

    real: Pointwise
    fake: Pointwise
    needs_penalty: bool = False
    needs_real: bool = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = _widened(real_logits), _widened(fake_logits)
        return self.real(real - _mean_of_all(fake)).mean() + self.fake(fake - _mean_of_all(real)).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        assert real_logits is not None, "a relativistic generator loss needs the real logits"
        return self.discriminator(fake_logits, real_logits)


ADVERSARIAL: dict[str, AdversarialLoss] = {
    "bce": Absolute(
        real=lambda x: F.softplus(-x),  # −log σ(x)
        fake=F.softplus,  # −log(1 − σ(x))
        fooled=lambda x: F.softplus(-x),
    ),
    "lsgan": Absolute(
        real=lambda x: (x - 1).square() / 2,
        fake=lambda x: x.square() / 2,
        fooled=lambda x: (x - 1).square() / 2,
    ),
    "hinge": Absolute(
        real=lambda x: F.relu(1 - x),
        fake=lambda x: F.relu(1 + x),
        fooled=torch.neg,
    ),
    "relativistic-bce": RelativisticAverage(
        real=lambda x: F.softplus(-x),
        fake=F.softplus,
    ),
    "relativistic-lsgan": RelativisticAverage(
        real=lambda x: (x - 1).square(),
        fake=lambda x: (x + 1).square(),
    ),
    "wgan-gp": Absolute(
        real=torch.neg,
        fake=lambda x: x,
        fooled=torch.neg,
        needs_penalty=True,
    ),
}
"""Name -> loss. In their order, the sources are:

I. Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, eq. 1; the generator's −log D is of section 3;
X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, eq. 9;
J. H. Lim and J. C. Ye, "Geometric GAN", 2017;
X. Wang et al., "ESRGAN", ECCVW 2018, eqs. 1 and 2;
O. Kupyn et al., "DeblurGAN-v2", ICCV 2019, eq. 3;
I. Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017, eq. 3.
"""


def gradient_penalty(
    critic: Callable[..., Tensor],
    real: Float[Tensor, "n c h w"],
    fake: Float[Tensor, "n c h w"],
    condition: Float[Tensor, "n d i j"] | None = None,
    *,
    places: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """E(‖∇D(x)‖₂ − 1)², each sample x at a random place between a real and a generated picture.

    The norm is over all values of a sample. Of a patch critic, D is the mean over the patches, which is what
    the Wasserstein loss averages. Autocast is off inside: the penalty is in the precision of the critic's
    parameters. To be multiplied by λ, 10 in the paper.

    Source: I. Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017, eq. 3 and algorithm 1.

    Args:
        critic: not compiled (there is no second derivative then) and not wrapped by DDP, whose gradients are
            complete all the same; without batch norm, as a sample's gradient must be its own.
        real: targets.
        fake: generated pictures; no gradient reaches them.
        condition: second argument of a critic that has one.
        places: of each sample in [0, 1], 0 at the generated picture; random by default.
    """
    inputs = () if condition is None else (_widened(condition),)
    with torch.autocast(real.device.type, enabled=False):
        real, fake = _widened(real.detach()), _widened(fake.detach())
        places = torch.rand(len(real)) if places is None else places
        mixed = torch.lerp(fake, real, places.to(real)[:, None, None, None]).requires_grad_()
        logits = critic(mixed, *inputs).reshape(len(mixed), -1).mean(1)
        (gradient,) = torch.autograd.grad(logits.sum(), mixed, create_graph=True)
        return (torch.linalg.vector_norm(gradient.flatten(1), dim=1) - 1).square().mean()


def _widened(x: Tensor) -> Tensor:
    """At least float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _mean_of_all(logits: Tensor) -> Tensor:
    """The mean, over all processes where there are several with equal parts of the batch."""
    mean = logits.mean()
    if not (dist.is_available() and dist.is_initialized()):
        return mean
    return _SumOfProcesses.apply(mean) / dist.get_world_size()  # pyright: ignore[reportOperatorIssue]


class _SumOfProcesses(torch.autograd.Function):
    """All-reduce, forwards and backwards: what one process computes from the sum depends on all of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total
