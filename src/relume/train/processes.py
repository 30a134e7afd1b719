"""The processes that train together: one, or those that torchrun started, each with its share of every batch.

Gradients are averaged when all of a block's are there, in one message. All processes then hold the same
weights without ever sending them, because they start from the same ones and take the same steps.
"""

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from relume.errors import RelumeError, UsageError

Result = TypeVar("Result")

LONGEST_WAIT = timedelta(hours=1)
"""For another process; the first one decodes, validates and saves while the others wait."""


class EndedElsewhere(RelumeError):
    """Another process ended, or raised what this tells; this one had no error of its own."""


@contextmanager
def joined() -> Generator[None]:
    """Meet the other processes that torchrun started, if it did, and part from them at the end.

    Raises:
        EndedElsewhere: if another one ended without parting, or did not answer (between CPUs).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield
    except RuntimeError as error:
        if "gloo/transport" not in str(error):  # which has no class of its own
            raise
        what = "did not answer in time" if "Timed out" in str(error) else "ended"
        raise EndedElsewhere(
            f"another process of this training {what}",
            hint="torchrun tells which one and how (signal 9 is often too little memory); "
            "--resume goes on from the newest checkpoint",
        ) from error
    finally:
        dist.destroy_process_group()


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if _several() else 1


def rank() -> int:
    """The number of this process, from 0; also before they have met and after they parted."""
    return int(os.environ.get("RANK", "0"))


def rank_on_machine() -> int:
    """The number of this process among those on the same machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def agreeing() -> Generator[None]:
    """A block that all processes finish, or none: they meet at its end, so none may meet inside.

    Raises:
        RelumeError: as raised inside.
        EndedElsewhere: if another process raised one, with its text and exit code.
    """
    own: RelumeError | None = None
    try:
        yield
    except RelumeError as error:
        own = error
    try:
        found = _gathered((str(own), own.exit_code) if own else None)
    finally:
        if own:
            raise own
    for number, told in enumerate(found):
        if told:
            ended = EndedElsewhere(f"process {number}: {told[0]}")
            ended.exit_code = told[1]
            raise ended


def first_then_others(make: Callable[[], Result]) -> Result:
    """What the call gives; the others make it after the first process, and find what that has put on disk.

    Raises:
        RelumeError: as :func:`agreeing` does.
    """
    made: list[Result] = []
    for turn in (not rank(), bool(rank())):
        with agreeing():
            if turn:
                made.append(make())
    return made[0]


def require_equal(facts: Mapping[str, object]) -> None:
    """Refuse to train together on different things.

    Raises:
        UsageError: in every process, naming the first difference.
    """
    first, *others = _gathered(dict(facts))
    for number, other in enumerate(others, 1):
        for name in sorted(first | other):
            if first.get(name) != other.get(name):
                raise UsageError(
                    "the processes of this training differ",
                    got=f"{name} {first.get(name)} in process 0, {other.get(name)} in process {number}",
                    hint="give all the same recipe, data and run folder, which several machines must share",
                )


def reported(error: RelumeError) -> bool:
    """Whether an error need not be told here: another process tells it, or torchrun, which is given it."""
    if not rank():
        return False
    if isinstance(error, EndedElsewhere):
        return True
    if not os.environ.get("TORCHELASTIC_ERROR_FILE"):
        return False
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    get_error_handler().record_exception(error)
    return True


def meet() -> None:
    """Wait until all processes are here."""
    largest([0])


def largest(numbers: Sequence[float]) -> list[float]:
    """The largest of every number over all processes; does not wait for a GPU."""
    shared = torch.tensor(numbers, dtype=torch.float64)
    if _several():
        dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.tolist()


def average(tensors: Iterable[Tensor]) -> None:
    """Replace floating-point tensors by their means over all processes."""
    several = list(tensors) if _several() else []
    if not several:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in several])
    dist.all_reduce(flat)
    flat /= count()
    for tensor, mean in zip(several, flat.split([t.numel() for t in several]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def mean(numbers: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The means of scalars over all processes, by the same names."""
    if not _several():
        return numbers
    shared = torch.stack([value.to(device, torch.float32, non_blocking=True) for value in numbers.values()])
    average([shared])
    return dict(zip(numbers, shared, strict=True))


def _gathered(thing: object) -> list[Any]:
    things: list[Any] = [thing] * count()
    if _several():
        dist.all_gather_object(things, thing)
    return things


def _several() -> bool:
    return dist.is_available() and dist.is_initialized()
