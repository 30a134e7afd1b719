"""The training loop: the same for every system."""

from collections.abc import Mapping
from pathlib import Path

import torch

from relume.errors import TrainingDiverged, UsageError
from relume.train import processes
from relume.train.crops import find_data, make_batches_of
from relume.train.device import memory_errors_told, open_device
from relume.train.ownership import owned
from relume.train.recipe import Recipe
from relume.train.runlog import open_log
from relume.train.state import TrainState, newest_checkpoint
from relume.train.step import Losses, Networks, train_step
from relume.train.stopping import StopRequests
from relume.train.validation import Validation

PATIENCE = 100
"""Steps in a row without a finite gradient after which a run is given up."""


def train(recipe: Recipe, run_dir: Path, *, device: str = "auto", resume: bool = False) -> Path:
    """Train until ``recipe.steps``, a time limit, Ctrl-C or SIGTERM, which take effect after saving.

    Where torchrun started several processes, all of them call this; the first one writes the run's folder.

    Args:
        recipe: what to train.
        run_dir: folder for checkpoints, logs and pictures; made if missing.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        resume: go on from the newest checkpoint of ``run_dir``; without it the folder must hold none.

    Returns:
        The newest checkpoint.

    Raises:
        InputError: if the data cannot be used or the checkpoint belongs to another recipe.
        UsageError: if ``run_dir`` holds a run and ``resume`` is not set, or another training works in it, or
            the batch cannot be divided.
        OutOfMemory: if a step does not fit into the device's memory.
        TrainingDiverged: if gradients stay NaN or infinite; the last checkpoint is from before.
        EndedElsewhere: if another process ended, or raised one of these before training began.
    """
    stop = StopRequests(recipe.runtime.max_minutes)
    with owned(run_dir), processes.joined():
        with processes.agreeing(), memory_errors_told():
            where = open_device(device)
            _require_equal_shares(recipe)
            decode = find_data(recipe)
            losses = Losses(recipe, where)
            state = start_or_resume(recipe, run_dir, where, resume, losses.frozen)
        processes.require_equal(state.decided_by())
        crops = processes.first_then_others(decode)
        fingerprint = crops.fingerprint
        processes.require_equal({"data.train": fingerprint})
        with processes.agreeing(), memory_errors_told():
            state.use_data(fingerprint)
            validation = Validation(recipe, crops)
            batches = make_batches_of(crops, recipe, state.step, where)
        networks = _networks(state)
        unusable = 0
        with open_log(run_dir, state, crops) as log, stop, memory_errors_told():
            if resume and newest_checkpoint(run_dir) is None:
                log.say(f"{run_dir} held no checkpoint: the run starts anew")
            while state.step < recipe.steps and not stop.requested():
                with log.waiting():
                    lq, hq = next(batches)
                stats = train_step(state, networks, losses, lq, hq)
                log.step(state, stats)
                unusable = unusable + 1 if stats["skipped"] else 0
                if unusable >= PATIENCE:
                    raise _diverged(state, unusable, run_dir)
                if state.step % recipe.validation.every == 0 or state.step == recipe.steps:
                    log.validate(state, validation)
                if state.step % recipe.runtime.save_every == 0 and not unusable:
                    log.save(state)
            if unusable and state.step == recipe.steps:
                raise _diverged(state, unusable, run_dir)
            log.save(state)
            processes.meet()
    newest = newest_checkpoint(run_dir)
    assert newest is not None
    return newest


def start_or_resume(
    recipe: Recipe, run_dir: Path, device: torch.device, resume: bool, frozen: Mapping[str, str]
) -> TrainState:
    """The state to go on from; see :func:`train`."""
    if recipe.runtime.threads:
        torch.set_num_threads(recipe.runtime.threads)
    checkpoint = newest_checkpoint(run_dir)
    if checkpoint is None:
        return TrainState.start(recipe, device, frozen)
    if not resume:
        where = "choose another --run"
        starts_there = recipe.initial_weights and Path(recipe.initial_weights).resolve() == run_dir.resolve()
        hint = f"this one starts from it: {where}" if starts_there else f"add --resume to go on, or {where}"
        raise UsageError(f"{run_dir} already holds a run", hint=hint)
    return TrainState.resume(recipe, checkpoint, device, frozen)


def _networks(state: TrainState) -> Networks:
    trained: Networks = {name: state.networks[name] for name in state.optimizers}
    if state.recipe.runtime.compile:
        return {name: torch.compile(network) for name, network in trained.items()}
    return trained


def _require_equal_shares(recipe: Recipe) -> None:
    parts = processes.count() * recipe.runtime.accumulate
    if recipe.batch_size % parts:
        raise UsageError(
            "the batch cannot be divided equally",
            got=f"batch_size {recipe.batch_size} for {processes.count()} processes "
            f"and runtime.accumulate {recipe.runtime.accumulate}",
            allowed=f"multiples of {parts}",
        )


def _diverged(state: TrainState, unusable: int, run_dir: Path) -> TrainingDiverged:
    good = newest_checkpoint(run_dir)
    return TrainingDiverged(
        f"no finite gradient for {unusable} steps, at step {state.step}",
        got=f"{good} from before" if good else "no checkpoint from before",
        hint="lower optimizer.lr or set optimizer.clip_norm",
    )
