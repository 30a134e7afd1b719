"""What ``relume plan`` says, over what ``relume upscale`` then takes: time, memory and disk.

    python benchmarks/plan.py ../shared/data/train --rounds 3

Rounds alternate between the plan and the work it is about. Prints a Markdown table of the ratios: the median
over the rounds, and for the times, which other programs disturb, also the least and the greatest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

CASES: dict[str, tuple[int, tuple[int, int], list[str]]] = {
    "160×120": (1, (160, 120), []),
    "481×321": (1, (481, 321), []),
    "1000×700": (1, (1000, 700), []),
    "1000×700, `-s 2`": (1, (1000, 700), ["-s", "2"]),
    "1000×700, `-f webp`": (1, (1000, 700), ["-f", "webp"]),
    "481×321, `-x`": (1, (481, 321), ["-x"]),
    "481×321, `-n srgan-x4`": (1, (481, 321), ["-n", "srgan-x4"]),
    "2400×1600, in strips": (1, (2400, 1600), []),
    "24 of 320×240": (24, (320, 240), []),
}
"""Name -> number of pictures, their size, options."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="*", type=int, help="numbers of cases, from 0 (default: all)")
    options = parser.parse_args()
    sources = sorted(path for path in options.photos.rglob("*.jpg"))
    print("| pictures | time | processor time | memory | disk |\n| --- | ---: | ---: | ---: | ---: |")
    for index, (name, case) in enumerate(CASES.items()):
        if options.cases is None or index in options.cases:
            ratios = [measure(sources, *case) for _ in range(options.rounds)]
            found = [middle(of_rounds) for of_rounds in zip(*ratios, strict=True)]
            times = [f"{median} ({low} to {high})" for median, low, high in found[:2]]
            sizes = [median for median, _, _ in found[2:]]
            print(f"| {' | '.join([name, *times, *sizes])} |", flush=True)


def middle(found: Sequence[float]) -> list[str]:
    """Median, least and greatest."""
    return [f"{value:.2f}" for value in (statistics.median(found), min(found), max(found))]


def measure(sources: list[Path], number: int, size: tuple[int, int], options: list[str]) -> list[float]:
    """Ratios of what was said to what came: seconds, processor time, memory and disk."""
    with tempfile.TemporaryDirectory() as folder:
        for index, source in enumerate(sources[:: len(sources) // number][:number]):
            with Image.open(source) as photo:
                photo.convert("RGB").resize(size).save(Path(folder, f"{index}.png"))
        out = Path(folder, "out")
        command = [folder, "-o", str(out), *options]
        said = run("plan", command)
        start, before = time.perf_counter(), os.times()
        done = run("upscale", command)
        seconds, after = time.perf_counter() - start, os.times()
        processor = (
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        disk = sum(path.stat().st_size for path in out.glob("[!.]*"))
    return [
        said["seconds"] / seconds,
        said["processor_seconds"] / processor,
        said["memory_bytes"] / (1e6 * done["peak_rss_mb"]),
        said["disk_bytes"] / disk,
    ]


def run(command: str, arguments: list[str]) -> dict[str, Any]:
    """The last line that a command prints."""
    line = [sys.executable, "-m", "relume", command, *arguments, "--json"]
    done = subprocess.run(line, capture_output=True, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
