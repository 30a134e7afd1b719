"""What compiling and the order of pixels in memory bring in training, beside PyTorch as most scripts use it.

    python benchmarks/training.py compact-medium-x4 srresnet-x4 --data photos/ --steps 60 --rounds 2

Every variant is a short ``relume train`` of its own, in alternating rounds. What is told are medians over the
rows of ``metrics.jsonl`` but the first of each run, in which PyTorch compiles and caches fill.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

VARIANTS = {
    "eager, NCHW": (False, False),
    "eager, channels_last": (True, False),
    "compiled, NCHW": (False, True),
    "compiled, channels_last": (True, True),
}
"""Name -> channels_last, compile; the first is what the others are compared with."""

NUM_ROWS = 6
"""Rows of metrics.jsonl of a run."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    print("| `relume train` | variant | crops/s | times eager | waiting for data |")
    print("| --- | --- | ---: | ---: | ---: |")
    for recipe in asked.recipes:
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
        for _ in range(asked.rounds):
            for name in VARIANTS:
                rates[name].append(train(recipe, *VARIANTS[name], asked))
        reference = [rate for rate, _ in next(iter(rates.values()))]
        for name, found in rates.items():
            times = median(rate / other for (rate, _), other in zip(found, reference, strict=True))
            print(
                f"| `{recipe}` | {name} | {median(rate for rate, _ in found):.1f} | {times:.2f} "
                f"| {median(wait for _, wait in found):.1%} |",
                flush=True,
            )


def train(recipe: str, channels_last: bool, compiled: bool, asked: argparse.Namespace) -> tuple[float, float]:
    """Crops a second, and the part of the time spent waiting for data, of a short run."""
    options = {
        "steps": asked.steps,
        "validation.every": 10 * asked.steps,
        "runtime.log_every": max(1, asked.steps // NUM_ROWS),
        "runtime.save_every": 10 * asked.steps,
        "runtime.channels_last": str(channels_last).lower(),
        "runtime.compile": str(compiled).lower(),
        "runtime.threads": asked.threads or "null",
    }
    with tempfile.TemporaryDirectory() as folder:
        told = [f"{key}={value}" for key, value in options.items()]
        command = [sys.executable, "-m", "relume", "train", recipe, *told, "--run", folder, "--data"]
        subprocess.run([*command, *asked.data], check=True, stdout=subprocess.DEVNULL)
        lines = Path(folder, "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "images_per_s" in row][1:]
    return median(row["images_per_s"] for row in rows), median(row["data_wait"] for row in rows)


if __name__ == "__main__":
    main()
