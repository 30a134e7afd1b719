"""Train a model by a recipe.

    relume train compact-small-x4 --data photos/
    relume train my-recipe.yaml optimizer.lr=5e-4 steps=20000 --data photos/ --run runs/slow

Ctrl-C saves and leaves; --resume goes on from there, exactly. Several processes train together with

    torchrun --standalone --nproc-per-node=2 -m -- relume train compact-small-x4 --data photos/
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relume.cli import devices
from relume.cli.extras import extra
from relume.errors import RelumeError

if TYPE_CHECKING:
    from relume.train.recipe import Recipe


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("recipe", metavar="RECIPE", help="name of a recipe, or a .yaml file")
    add("overrides", nargs="*", default=[], metavar="KEY=VALUE", help="recipe keys to change")
    add("--data", nargs="+", action="extend", metavar="DIR", help="folders or lists of sharp pictures")
    add("--run", type=Path, dest="run_dir", metavar="DIR", help="the run's folder (default: runs/RECIPE)")
    add("--resume", action="store_true", help="go on from the newest checkpoint")
    add("--smoke", action="store_true", help="only a few small steps, to see that everything works")
    devices.add_argument(parser, devices=("auto", "cpu", "cuda", "mps"))


def run(
    recipe: str,
    overrides: list[str],
    data: list[str] | None,
    run_dir: Path | None,
    resume: bool,
    smoke: bool,
    device: str,
) -> int:
    """Do it; see the module's text."""
    with extra("train"):
        from relume.train import processes
        from relume.train.loop import train
        from relume.train.recipe_files import load_recipe

    if data:  # which takes what follows it, KEY=VALUE too
        overrides = [*overrides, *(word for word in data if _is_override(word))]
        data = [word for word in data if not _is_override(word)]
        unstated = {Path(source).name: "licence not stated" for source in data}
        overrides = [f"data.train={json.dumps(data)}", f"licences={json.dumps(unstated)}", *overrides]
    try:
        experiment = load_recipe(recipe, overrides)
        experiment = experiment.smoke() if smoke else experiment
        folder = run_dir or Path("runs", experiment.name + ("-smoke" if smoke else ""))
        with _interruption_told(folder, resume):
            checkpoint = train(experiment, folder, device=device, resume=resume)
    except RelumeError as error:
        if processes.reported(error):
            return error.exit_code
        raise
    if not processes.rank():
        print(f"{checkpoint}\n{_next(experiment, folder, checkpoint)}")
    return 0


@contextmanager
def _interruption_told(folder: Path, resume: bool) -> Generator[None]:
    """After Ctrl-C or SIGTERM, name the checkpoint to go on from."""
    from relume.train import processes
    from relume.train.state import newest_checkpoint

    another = None if resume else newest_checkpoint(folder)  # another run's
    try:
        yield
    except KeyboardInterrupt:
        newest = newest_checkpoint(folder)
        if newest != another and not processes.rank():
            print(f"{newest}: the same command with --resume goes on", file=sys.stderr)
        raise


def _is_override(word: str) -> bool:
    return re.match(r"[\w.-]+=", word) is not None and not Path(word).exists()


def _next(experiment: "Recipe", folder: Path, checkpoint: Path) -> str:
    from relume.train.state import step_of

    if (step := step_of(checkpoint)) < experiment.steps:
        return f"time is up at step {step} of {experiment.steps}: the same command with --resume goes on"
    return f"next: relume export {folder} -o {experiment.name}.onnx"
