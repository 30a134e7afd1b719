"""The training loop: the same for every system."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch

from relume.data.crops import make_batches
from relume.errors import TrainingDiverged, UsageError
from relume.train.crops import make_crops
from relume.train.recipe import Recipe
from relume.train.runlog import RunLog
from relume.train.state import TrainState, newest_checkpoint
from relume.train.step import Losses, train_step
from relume.train.validation import Validation

PATIENCE = 100
"""Steps in a row without a finite gradient after which a run is given up."""


def train(recipe: Recipe, run_dir: Path, *, device: str = "auto", resume: bool = False) -> Path:
    """Train until ``recipe.steps``, or until Ctrl-C or SIGTERM, which take effect after saving.

    Args:
        recipe: what to train.
        run_dir: folder for checkpoints, logs and pictures; made if missing.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        resume: go on from the newest checkpoint of ``run_dir``; without it the folder must hold none.

    Returns:
        The newest checkpoint.

    Raises:
        InputError: if the data cannot be used or the checkpoint belongs to another recipe.
        UsageError: if ``run_dir`` holds a run and ``resume`` is not set.
        TrainingDiverged: if gradients stay NaN or infinite; the last checkpoint is from before.
    """
    crops = make_crops(recipe)
    state = start_or_resume(recipe, crops.pictures.fingerprint, run_dir, _device(device), resume)
    losses = Losses(recipe, state.device)
    log = RunLog(run_dir, state, crops)
    validation = Validation(recipe, crops)
    batches = make_batches(
        crops,
        batch_size=recipe.batch_size,
        start=state.step,
        steps=recipe.steps,
        num_workers=recipe.runtime.num_workers,
    )
    card = recipe.card(state.generator)
    forward = torch.compile(state.generator) if recipe.runtime.compile else state.generator
    unusable = 0
    with log, _stop_requests() as stop:
        while state.step < recipe.steps and not stop:
            with log.waiting():
                lq, hq = next(batches)
            stats = train_step(state, forward, losses, lq, hq)
            log.step(state, stats)
            unusable = unusable + 1 if stats["skipped"] else 0
            if unusable >= PATIENCE:
                raise _diverged(state, unusable, run_dir)
            if state.step % recipe.validation.every == 0 or state.step == recipe.steps:
                log.validated(state, validation.run(state.averaged, card))
            if state.step % recipe.runtime.save_every == 0 and not unusable:
                log.save(state)
        if unusable and not stop:
            raise _diverged(state, unusable, run_dir)
        log.save(state)
    newest = newest_checkpoint(run_dir)
    assert newest is not None
    return newest


def _diverged(state: TrainState, unusable: int, run_dir: Path) -> TrainingDiverged:
    return TrainingDiverged(
        f"no finite gradient for {unusable} steps, at step {state.step}",
        hint=f"lower optimizer.lr or set optimizer.clip_norm; good checkpoints are in {run_dir}",
    )


def start_or_resume(
    recipe: Recipe, data: str, run_dir: Path, device: torch.device, resume: bool
) -> TrainState:
    """The state to go on from; see :func:`train`."""
    if recipe.runtime.threads:
        torch.set_num_threads(recipe.runtime.threads)
    checkpoint = newest_checkpoint(run_dir)
    if checkpoint is None:
        return TrainState.start(recipe, data, device)
    if not resume:
        raise UsageError(
            f"{run_dir} already holds a run", hint="add --resume to go on, or choose another --run"
        )
    return TrainState.resume(recipe, data, checkpoint, device)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError("cannot train on this device", got=name, allowed="auto, cpu, cuda, mps") from error
    return device


@contextmanager
def _stop_requests() -> Generator[list[int]]:
    """A list that stays empty until Ctrl-C or SIGTERM arrives, which takes its usual effect at the end.

    A second one takes its effect at once.
    """
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        received.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if received:  # not where something else went wrong: that is what has to be told
        signal.raise_signal(received[0])
