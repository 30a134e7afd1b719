"""What a run leaves in its folder.

::

    run/
      recipe.yaml          every key of the recipe, resolved
      environment.json     versions, git commit, machine, training pictures that were skipped
      metrics.jsonl        one object a line: losses, speed, data wait, scores
      events.out.tfevents… the same for TensorBoard, with sample sheets (where tensorboard is installed)
      samples/             sheets: input, bicubic, result, target
      progress/            frames of one fixed picture;  progress.webp animates them
      checkpoints/         step-*.safetensors (the last few), best.safetensors
"""

import json
import math
import platform
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from importlib import metadata, util
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
import yaml
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

import relume
from relume.files import make_folder, replacing
from relume.train.crops import Crops
from relume.train.health import warnings_for
from relume.train.pictures import animate, frame, sheet
from relume.train.state import TrainState
from relume.train.step import Stats
from relume.train.validation import Sample, mean_scores

VERSIONS_OF = ("torch", "numpy", "pillow", "onnx", "safetensors")


class RunLog:
    """Writes a run's folder and, on a terminal, a progress bar. Use as a context manager.

    Args:
        run_dir: the folder, made if missing.
        state: what the run starts from; rows logged after it, by a run that was killed, are dropped.
        crops: the training crops, for naming pictures that were skipped.
    """

    def __init__(self, run_dir: Path, state: TrainState, crops: Crops):
        self.run_dir = run_dir
        self.checkpoints = run_dir / "checkpoints"
        for folder in (self.checkpoints, run_dir / "samples", run_dir / "progress"):
            make_folder(folder)
        self._console = Console(stderr=True)
        self._write("recipe.yaml", yaml.safe_dump(state.recipe.resolved(), sort_keys=False))
        self._write("environment.json", json.dumps(_environment(crops), indent=2))
        self._forget_after(state.step)
        self._tensorboard = _tensorboard(run_dir, state.step)
        self._bar, self._task = _progress_bar(self._console, state)
        self._told: set[str] = set()
        self._sums: dict[str, Tensor | float] = {}
        self._counts: dict[str, Tensor | int] = {}
        self._restart_clock(state.step)
        if crops.pictures.skipped:
            self.say(f"skipped {len(crops.pictures.skipped)} training pictures, named in environment.json")

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
        for name, value in stats.items():
            finite = torch.isfinite(value)
            self._sums[name] = self._sums.get(name, 0) + torch.where(finite, value, 0)
            self._counts[name] = self._counts.get(name, 0) + finite
        if state.step % state.recipe.runtime.log_every == 0:
            self._row(state)

    def _row(self, state: TrainState) -> None:
        row = {name: float(total / self._counts[name]) for name, total in self._sums.items()}
        row["skipped"] = float(self._sums["skipped"])
        seconds = time.perf_counter() - self._clock_began
        images_per_s = (state.step - self._clock_from) * state.recipe.batch_size / seconds
        wait = self._waited_s / seconds
        self._log(state.step, {**row, "images_per_s": images_per_s, "data_wait": wait, "seconds": seconds})
        note = f"loss {row.get('loss', 0):.4f}  {images_per_s:.1f} img/s  data wait {wait:.0%}"
        self._bar.update(self._task, completed=state.step, note=note)
        adversarial = state.recipe.adversarial
        for sign, advice in warnings_for(
            row, bounded=bool(adversarial and adversarial.loss != "wgan-gp")
        ).items():
            if sign not in self._told:
                self._told.add(sign)
                self.say(f"step {state.step}: {advice}")
        self._sums.clear()
        self._counts.clear()
        self._restart_clock(state.step)

    def validated(self, state: TrainState, samples: list[Sample]) -> None:
        """Log the scores, write a sheet and the next frame of the animation, and keep the best checkpoint."""
        scores = mean_scores(samples)
        self._log(state.step, {f"validation/{name}": value for name, value in scores.items()})
        picture = sheet(samples, state.step)
        name = f"step-{state.step:08d}.png"
        _save(picture, self.run_dir / "samples" / name)
        _save(frame(samples[0], state.step), self.run_dir / "progress" / name)
        animate(sorted((self.run_dir / "progress").glob("step-*.png")), self.run_dir / "progress.webp")
        if self._tensorboard:
            self._tensorboard.add_image("samples", np.asarray(picture), state.step, dataformats="HWC")
        self.say(f"step {state.step}: PSNR {scores['psnr']:.3f} dB, SSIM {scores['ssim']:.4f}")
        if scores["psnr"] > state.best:
            state.best = scores["psnr"]
            state.save(self.checkpoints / "best.safetensors")

    def save(self, state: TrainState) -> None:
        """Write a checkpoint and drop the oldest ones."""
        state.save(self.checkpoints / f"step-{state.step:08d}.safetensors")
        for old in sorted(self.checkpoints.glob("step-*.safetensors"))[: -state.recipe.runtime.keep]:
            old.unlink()

    def say(self, text: str) -> None:
        """A line for the person who watches."""
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
        with replacing(self.run_dir / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


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


def _environment(crops: Crops) -> dict[str, Any]:
    return {
        "relume": relume.__version__,
        "git": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in VERSIONS_OF},
        "machine": f"{platform.machine()} {platform.system()}",
        "command": sys.argv,
        "num_pictures": len(crops.pictures.shapes),
        "skipped": crops.pictures.skipped,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of relume's own checkout, if it runs from one."""
    source = Path(relume.__file__).parent
    try:
        command = ["git", "-C", str(source), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
