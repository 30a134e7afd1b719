"""Throughput of a folder of photos: the pipeline of ``relume upscale FOLDER`` beside a plain loop.

    python benchmarks/batch.py ../shared/data/train --number 200

Both restore the same crops with one opened model, in alternating rounds of one run; the loop reads, restores
and writes one picture after the other. Prints photos per second, the share of the time in which the network
did not run, medians over the rounds, and the ratio of the two. ``--size 1200 900`` gives results in strips.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import relume
from relume.backends.base import Backend, Batch, Depth, Started
from relume.image import MAX_PIXELS, read_picture, write_image
from relume.jobs.naming import Job
from relume.jobs.pictures import PictureStages
from relume.jobs.pipeline import Failed, restore_files


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, nargs=2, default=(160, 120))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, relume.open_model() as model:
        sources = crops(options.photos, options.number, tuple(options.size), Path(folder))
        jobs = [Job(source, Path(folder, "out", source.name), Path(folder, "out")) for source in sources]
        ways = {"loop": lambda: plain_loop(model, jobs), "pipeline": lambda: pipeline(model, jobs)}
        for way in ways.values():
            way()  # warm
        rates: dict[str, list[float]] = {name: [] for name in ways}
        idle: dict[str, list[float]] = {name: [] for name in ways}
        network = Timed(model.backend)
        model.backend.start = network
        for _ in range(options.rounds):
            for name, way in ways.items():
                network.seconds = 0
                taken = seconds(way)
                rates[name].append(len(jobs) / taken)
                idle[name].append(1 - network.seconds / taken)
                print(
                    f"{name}: {rates[name][-1]:.2f} photos/s, network idle {idle[name][-1]:.0%}", flush=True
                )
    ratios = [fast / slow for fast, slow in zip(rates["pipeline"], rates["loop"], strict=True)]
    for name, found in rates.items():
        share = statistics.median(idle[name])
        print(f"{name}: {statistics.median(found):.2f} photos/s, network idle {share:.0%} (medians)")
    print(
        f"pipeline / loop: {statistics.median(ratios):.2f} (median), {min(ratios):.2f} to {max(ratios):.2f}"
    )


def crops(photos: Path, number: int, size: tuple[int, int], folder: Path) -> list[Path]:
    """PNG crops from the middle of photos, of each as often as needed."""
    paths = sorted(path for path in photos.rglob("*") if path.suffix in {".jpg", ".png"})
    width, height = size
    written: list[Path] = []
    for index in range(number):
        with Image.open(paths[index % len(paths)]) as photo:
            left, top = (photo.width - width) // 2, (photo.height - height) // 2
            written.append(folder / f"{index:04}.png")
            photo.convert("RGB").crop((left, top, left + width, top + height)).save(written[-1])
    return written


class Timed:
    """Runs a network on the processor.

    Attributes:
        seconds: that it ran.
    """

    def __init__(self, backend: Backend):
        self.seconds = 0.0
        self._start = backend.start

    def __call__(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """As the network itself starts."""
        started = self._start(batch, depth)

        def timed() -> Any:
            start = time.perf_counter()
            result = started()
            self.seconds += time.perf_counter() - start
            return result

        return timed


def plain_loop(model: relume.Model, jobs: list[Job]) -> None:
    """One picture after the other."""
    for job in jobs:
        job.base.mkdir(exist_ok=True)
        write_image(model.restore_image(read_picture(job.source)), job.target)


def pipeline(model: relume.Model, jobs: list[Job]) -> None:
    """As the command does it."""
    stages = PictureStages(lambda picture, tell: model.restore_image(picture), model.card.scale, MAX_PIXELS)
    outcomes = list(restore_files(jobs, lambda job: stages, lambda *now: None))
    assert not any(isinstance(outcome, Failed) for outcome in outcomes)


def seconds(way: Callable[[], None]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
