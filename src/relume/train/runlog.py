"""What a run leaves in its folder.

::

    run/
      recipe.yaml          every key of the recipe, resolved
      environment.json     versions, git commit, machine, VGG19's weights, training pictures that were skipped
      metrics.jsonl        one object a line: losses, speed, data wait, scores
      curves.svg           the same, drawn
      events.out.tfevents… the same for TensorBoard, with sample sheets (where tensorboard is installed)
      samples/             sheets: input, bicubic, result, target
      progress/            frames of one fixed picture;  progress.webp animates them
      .lock                held by the process that trains here
      checkpoints/         step-*.safetensors (the last few), best.safetensors
"""

import json
import math
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import timedelta
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
import yaml
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from relume.files import make_folder, replacing, write_text
from relume.train import processes
from relume.train.crops import TrainingCrops
from relume.train.curves import draw_curves
from relume.train.environment import environment
from relume.train.health import warnings_for
from relume.train.pictures import animate, frame, sheet
from relume.train.state import TrainState
from relume.train.step import Stats
from relume.train.validation import Validation, mean_scores

SECONDS_BETWEEN_LINES = 60.0
"""Where no terminal shows a progress bar, a line as often as this, or less often, says how far the run is."""


class Log:
    """What the loop tells, entered around it; this one keeps it to itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def waiting(self) -> AbstractContextManager[None]:
        """The time inside is spent waiting for data."""
        return nullcontext()

    def step(self, state: TrainState, stats: Stats) -> None:
        """A step is done."""

    def validate(self, state: TrainState, validation: Validation) -> None:
        """Scores and pictures are due."""

    def save(self, state: TrainState) -> None:
        """A checkpoint is due."""

    def say(self, text: str) -> None:
        """A line for the person who watches."""


def open_log(run_dir: Path, state: TrainState, crops: TrainingCrops) -> Log:
    """The first process writes the run's folder, the others nothing."""
    return Log() if processes.rank() else RunLog(run_dir, state, crops)


class RunLog(Log):
    """Writes a run's folder and, on a terminal, a progress bar.

    Args:
        run_dir: the folder, made if missing.
        state: what the run starts from; rows logged after it, by a run that was killed, are dropped.
        crops: the training crops, for naming pictures that were skipped.
    """

    def __init__(self, run_dir: Path, state: TrainState, crops: TrainingCrops):
        self.run_dir = run_dir
        self.checkpoints = run_dir / "checkpoints"
        for folder in (self.checkpoints, run_dir / "samples", run_dir / "progress"):
            make_folder(folder)
        self._console = Console(stderr=True)
        self._write("recipe.yaml", yaml.safe_dump(state.recipe.resolved(), sort_keys=False))
        self._write("environment.json", json.dumps(environment(state, crops), indent=2))
        self._forget_after(state.step)
        self._tensorboard = _tensorboard(run_dir, state.step)
        self._bar, self._task = _progress_bar(self._console, state)
        self._told: set[str] = set()
        self._stats: list[Stats] = []
        self._restart_clock(state.step)
        self._last_line = time.monotonic()
        if crops.skipped:
            self.say(f"skipped {len(crops.skipped)} training pictures, named in environment.json")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._tensorboard:
            self._tensorboard.close()

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Count the time inside as waiting for data."""
        began = time.perf_counter()
        yield
        self._waited_s += time.perf_counter() - began

    def step(self, state: TrainState, stats: Stats) -> None:
        """Count a step; every ``log_every`` steps, log the means since the last row."""
        self._stats.append(stats)
        if state.step % state.recipe.runtime.log_every == 0:
            self._row(state)

    def _row(self, state: TrainState) -> None:
        row = _means(self._stats)
        self._stats.clear()
        seconds = time.perf_counter() - self._clock_began
        images_per_s = (state.step - self._clock_from) * state.recipe.batch_size / seconds
        wait = self._waited_s / seconds
        self._log(state.step, {**row, "images_per_s": images_per_s, "data_wait": wait, "seconds": seconds})
        self._tell_progress(
            state, f"loss {row.get('loss', 0):.4f}  {images_per_s:.1f} img/s  data wait {wait:.0%}"
        )
        adversarial = state.recipe.adversarial
        self._warn(state.step, warnings_for(row, bounded=bool(adversarial and adversarial.loss != "wgan-gp")))
        self._restart_clock(state.step)

    def _warn(self, step: int, warnings: Mapping[str, str]) -> None:
        """Each kind once."""
        for sign, advice in warnings.items():
            if sign not in self._told:
                self._told.add(sign)
                self.say(f"step {step}: {advice}")

    def _tell_progress(self, state: TrainState, note: str) -> None:
        self._bar.update(self._task, completed=state.step, note=note)
        if self._bar.disable and time.monotonic() >= self._last_line + SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.say(f"step {state.step}/{state.recipe.steps}: {note}")

    def validate(self, state: TrainState, validation: Validation) -> None:
        """Log the scores, draw a sheet, the animation and the curves, and keep the best checkpoint."""
        samples = validation.run(state.averaged, state.recipe.card(state.averaged))
        scores = mean_scores(samples)
        row = {f"validation/{name}": value for name, value in scores.items()}
        self._log(state.step, row)
        self._warn(state.step, warnings_for(row, bounded=False))
        picture = sheet(samples, state.step)
        name = f"step-{state.step:08d}.png"
        _save(picture, self.run_dir / "samples" / name)
        _save(frame(samples[0], state.step), self.run_dir / "progress" / name)
        animate(sorted((self.run_dir / "progress").glob("step-*.png")), self.run_dir / "progress.webp")
        self._write("curves.svg", draw_curves(read_metrics(self.run_dir)))
        if self._tensorboard:
            self._tensorboard.add_image("samples", np.asarray(picture), state.step, dataformats="HWC")
        self.say(
            f"step {state.step}/{state.recipe.steps}: PSNR {scores['psnr']:.3f} dB, SSIM {scores['ssim']:.4f}"
        )
        if scores["psnr"] > state.best:
            state.best = scores["psnr"]
            state.save(self.checkpoints / "best.safetensors")

    def save(self, state: TrainState) -> None:
        """Write a checkpoint and drop the oldest ones."""
        state.save(self.checkpoints / f"step-{state.step:08d}.safetensors")
        for old in sorted(self.checkpoints.glob("step-*.safetensors"))[: -state.recipe.runtime.keep]:
            old.unlink()

    def say(self, text: str) -> None:
        """Write the line to stderr."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def _restart_clock(self, step: int) -> None:
        self._waited_s = 0.0
        self._clock_began, self._clock_from = time.perf_counter(), step

    def _log(self, step: int, values: dict[str, float]) -> None:
        with (self.run_dir / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **{k: _rounded(v) for k, v in values.items()}}) + "\n")
        for name, value in values.items() if self._tensorboard else ():
            self._tensorboard.add_scalar(name, value, step)

    def _forget_after(self, step: int) -> None:
        metrics = self.run_dir / "metrics.jsonl"
        if metrics.exists():
            lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)
            self._write("metrics.jsonl", "".join(line for line in lines if _step_of(line) <= step))

    def _write(self, name: str, text: str) -> None:
        write_text(self.run_dir / name, text)


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    """The rows of a run's ``metrics.jsonl``; one that was cut off while being written is left out."""
    rows: list[dict[str, Any]] = []
    for line in (run_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def _means(stats: list[Stats]) -> dict[str, float]:
    """Of every name the mean over the steps that have a finite value of it; NaN without any."""
    names = {name: None for found in stats for name in found}  # in their order
    values = {n: torch.stack([found[n].float() for found in stats if n in found]) for n in names}
    means = {n: float(value[torch.isfinite(value)].mean()) for n, value in values.items()}
    return means | {"skipped": float(values["skipped"].sum())}


def _save(picture: Image.Image, target: Path) -> None:
    with replacing(target) as temporary:
        picture.save(temporary, "PNG")


def _step_of(line: str) -> float:
    """The step of a row; infinite for one that was cut off while being written."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError):
        return float("inf")


def _rounded(value: float) -> float | None:
    """Six digits; null where JSON has no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _tensorboard(run_dir: Path, step: int) -> Any:
    if not util.find_spec("tensorboard"):
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(run_dir), purge_step=step + 1)


def _progress_bar(console: Console, state: TrainState) -> tuple[Progress, Any]:
    bar = Progress(
        TextColumn(state.recipe.name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=not console.is_terminal,
        speed_estimate_period=timedelta(minutes=5).total_seconds(),
    )
    return bar, bar.add_task("steps", total=state.recipe.steps, completed=state.step, note="")
