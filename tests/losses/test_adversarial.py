import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from relume.losses.adversarial import ADVERSARIAL, gradient_penalty

REAL = (2.0, -1.0)
FAKE = (0.5, -2.5)
MEAN_REAL, MEAN_FAKE = 0.5, -1.0


def mean(values):
    return sum(values) / 2


def minus_log_sigmoid(x):
    return -math.log(1 / (1 + math.exp(-x)))


EXPECTED = {
    "bce": (
        mean(map(minus_log_sigmoid, REAL)) + mean(minus_log_sigmoid(-x) for x in FAKE),
        mean(map(minus_log_sigmoid, FAKE)),
    ),
    "lsgan": ((1 + 4) / 4 + (0.25 + 6.25) / 4, (0.25 + 12.25) / 4),
    "hinge": ((0 + 2) / 2 + (1.5 + 0) / 2, 1.0),
    "relativistic-bce": (
        mean(minus_log_sigmoid(x - MEAN_FAKE) for x in REAL)
        + mean(minus_log_sigmoid(MEAN_REAL - x) for x in FAKE),
        mean(minus_log_sigmoid(x - MEAN_REAL) for x in FAKE)
        + mean(minus_log_sigmoid(MEAN_FAKE - x) for x in REAL),
    ),
    "relativistic-lsgan": (
        ((3 - 1) ** 2 + (0 - 1) ** 2) / 2 + ((0 + 1) ** 2 + (-3 + 1) ** 2) / 2,
        ((0 - 1) ** 2 + (-3 - 1) ** 2) / 2 + ((3 + 1) ** 2 + (0 + 1) ** 2) / 2,
    ),
    "wgan-gp": (-1.0 - 0.5, 1.0),
}
"""Kind -> loss of the discriminator, of the generator."""

kinds = pytest.mark.parametrize("kind", ADVERSARIAL)


def of_generator(kind, fake, real):
    loss = ADVERSARIAL[kind]
    return loss.generator(fake, real) if loss.needs_real else loss.generator(fake)


@kinds
@pytest.mark.parametrize("shape", [(2,), (2, 1), (1, 1, 1, 2)])
def test_losses_are_the_hand_computed_values(kind, shape):
    real, fake = torch.tensor(REAL).view(shape), torch.tensor(FAKE).view(shape)
    assert ADVERSARIAL[kind].discriminator(real, fake).item() == pytest.approx(EXPECTED[kind][0])
    assert of_generator(kind, fake, real).item() == pytest.approx(EXPECTED[kind][1])


@kinds
def test_the_two_pull_in_opposite_directions(kind):
    real, fake = (torch.zeros(3, 1, requires_grad=True) for _ in range(2))
    ADVERSARIAL[kind].discriminator(real + 0.1, fake + 0.1).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    fake.grad = None
    of_generator(kind, fake + 0.1, real.detach() + 0.1).backward()
    assert (fake.grad < 0).all()


@kinds
def test_bfloat16_logits_lose_nothing_more(kind):
    real, fake = torch.tensor(REAL).bfloat16(), torch.tensor(FAKE).bfloat16()
    loss = ADVERSARIAL[kind].discriminator(real, fake)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(EXPECTED[kind][0])
    assert of_generator(kind, fake, real).item() == pytest.approx(EXPECTED[kind][1])


@kinds
def test_parts_of_a_batch_average_to_the_whole_except_in_relativistic_losses(kind):
    loss = ADVERSARIAL[kind]
    real, fake = torch.randn(2, 4, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    halves = (loss.discriminator(real[:2], fake[:2]) + loss.discriminator(real[2:], fake[2:])) / 2
    assert torch.allclose(halves, loss.discriminator(real, fake)) != loss.needs_real


def pictures(n=4, dtype=torch.float32):
    return torch.rand(2, n, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=dtype)


def drawn(seed, n=4):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


def test_places_are_random_unless_given():
    real, fake = pictures()
    found = {gradient_penalty(lambda x: x.square().sum((1, 2, 3)), real, fake).item() for _ in range(2)}
    assert len(found) == 2


def test_the_penalty_of_a_linear_critic_is_known():
    weight = torch.full((3, 4, 5), 0.5)
    penalty = gradient_penalty(lambda x: (x * weight).sum((1, 2, 3)), *pictures())
    assert penalty.item() == pytest.approx((math.sqrt(60 * 0.25) - 1) ** 2)


def test_a_patch_critic_is_the_mean_of_its_patches():
    penalty = gradient_penalty(lambda x: 6 * x, *pictures())
    assert penalty.item() == pytest.approx((math.sqrt(60 * (6 / 60) ** 2) - 1) ** 2)


def test_every_sample_has_a_place_and_a_norm_of_its_own():
    real, fake = pictures()
    places = drawn(7)
    penalty = gradient_penalty(lambda x: x.square().sum((1, 2, 3)) / 2, real, fake, places=places)
    samples = zip(places.tolist(), real, fake, strict=True)
    norms = [(e * r + (1 - e) * f).norm().item() for e, r, f in samples]
    assert penalty.item() == pytest.approx(sum((norm - 1) ** 2 for norm in norms) / 4)


def test_the_condition_reaches_the_critic_but_not_the_norm():
    condition = torch.full((4, 1, 1, 1), 3.0)
    penalty = gradient_penalty(lambda x, lq: (x * lq).sum((1, 2, 3)), *pictures(), condition)
    assert penalty.item() == pytest.approx((3 * math.sqrt(60) - 1) ** 2, rel=1e-5)


def test_the_penalty_passes_autograds_check_in_double_precision():
    real, fake = pictures(2, torch.float64)
    parameters = [
        torch.randn(
            shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True
        )
        for shape in [(4, 3, 3, 3), (4,), (1, 4, 2, 2)]
    ]

    def penalty(first, bias, second):
        critic = lambda x: F.conv2d(torch.tanh(F.conv2d(x, first, bias)), second)  # noqa: E731
        return gradient_penalty(critic, real, fake, places=drawn(2, 2))

    assert torch.autograd.gradcheck(penalty, parameters)


def test_the_penalty_is_the_same_under_autocast():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 2))
    expected = gradient_penalty(critic, *pictures(), places=drawn(3))
    with torch.autocast("cpu", torch.bfloat16):
        real, fake = pictures()
        penalty = gradient_penalty(critic, real, fake, places=drawn(3))
        low = gradient_penalty(critic, real, fake.bfloat16(), places=drawn(3))
    assert torch.equal(penalty, expected)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, expected, rtol=1e-2, atol=0)


def test_the_penalty_reaches_the_critic_only_and_survives_a_flat_one():
    critic = nn.Conv2d(3, 1, 3)
    nn.init.zeros_(critic.weight)
    fake = pictures()[1].requires_grad_()
    penalty = gradient_penalty(critic, pictures()[0], fake)
    penalty.backward()
    assert penalty.item() == 1
    assert torch.isfinite(critic.weight.grad).all()
    assert fake.grad is None


def test_penalties_of_parts_average_to_the_whole():
    real, fake = pictures()
    places = drawn(4)
    critic = lambda x: x.square().sum((1, 2, 3))  # noqa: E731
    whole = gradient_penalty(critic, real, fake, places=places)
    parts = (slice(0, 2), slice(2, 4))
    halves = [gradient_penalty(critic, real[part], fake[part], places=places[part]) for part in parts]
    torch.testing.assert_close(sum(halves) / 2, whole)


PROCESS = """
import sys, torch, torch.distributed as dist
from datetime import timedelta
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from relume.losses.adversarial import ADVERSARIAL, gradient_penalty

def gradients(critic, bare, real, fake):
    found = []
    for loss in ADVERSARIAL.values():
        bare.zero_grad()
        value = loss.discriminator(critic(real), critic(fake))
        if loss.needs_penalty:
            value = value + 10 * gradient_penalty(bare, real, real)  # the same wherever the place is
        value.backward()
        found.append(bare[0].weight.grad.clone())
        fake_leaf = fake.clone().requires_grad_()
        value = loss.generator(bare(fake_leaf), bare(real).detach() if loss.needs_real else None)
        found.append(torch.autograd.grad(value, fake_leaf)[0])
    return found

rank, file = int(sys.argv[1]), sys.argv[2]
torch.manual_seed(0)
bare = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 2))
real, fake = torch.rand(2, 4, 3, 6, 6)
whole = gradients(bare, bare, real, fake)
dist.init_process_group("gloo", init_method=file, rank=rank, world_size=2, timeout=timedelta(seconds=60))
part = slice(2 * rank, 2 * rank + 2)
mine = gradients(DistributedDataParallel(bare), bare, real[part], fake[part])
for i, (a, b) in enumerate(zip(mine, whole, strict=True)):
    torch.testing.assert_close(a, b[part] * 2 if i % 2 else b)
dist.destroy_process_group()
"""


def test_two_processes_get_the_gradients_of_the_whole_batch(tmp_path: Path):
    """Of the critic's weights, through DDP; of generated pictures, for DDP of the generator to average."""
    file = (tmp_path / "meet").as_uri()
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(rank), file], stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    results = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    assert [code for _, code in results] == [0, 0], results
