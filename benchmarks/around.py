"""What relume adds to the network's own time: cutting, pasting, rounding, and the overlap of tiles.

    python benchmarks/around.py compact-small-x4-int8 --size 750 1000
    python benchmarks/around.py srresnet-x4 --size 750 1000 --threads 2 --clock wall

A picture of 8 bits goes in and comes out, as from a file. A first run compiles, and is told apart.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from relume.backends import open_backend
from relume.backends.base import Backend, Batch, Depth, Started
from relume.machine import num_threads
from relume.model import Model
from relume.zoo import find_model

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


class Timed(Backend):
    """A backend on the processor that notes how long it runs, and on how many pixels.

    Attributes:
        seconds: in the network since :meth:`reset`.
        pixels: of all windows since then.
    """

    def __init__(self, model: str, threads: int, clock: Callable[[], float]):
        file = find_model(model)
        self.card = file.card
        self._backend = open_backend(file.path, file.card, device="cpu", threads=threads)
        self.name, self.device, self._clock = self._backend.name, self._backend.device, clock
        self.reset()

    def reset(self) -> None:
        """Count from zero again."""
        self.seconds, self.pixels = 0.0, 0

    def start(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """See :meth:`relume.backends.base.Backend.start`."""
        self.pixels += batch[..., 0].size
        started = self._backend.start(batch, depth)

        def timed() -> np.ndarray[Any, Any]:
            begun = self._clock()
            result = started()
            self.seconds += self._clock() - begun
            return result

        return timed

    def release(self) -> None:
        """See :meth:`relume.backends.base.Backend.release`."""
        self._backend.release()

    def close(self) -> None:
        """See :meth:`relume.backends.base.Backend.close`."""
        self._backend.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["compact-small-x4-int8", "compact-small-x4"])
    parser.add_argument("--size", type=int, nargs=2, default=(750, 1000), metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="processor")
    asked = parser.parse_args()
    print("| model | network, ms | around it | least | overlap | first run, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in asked.models:
        print(row(name, asked))


def row(name: str, asked: argparse.Namespace) -> str:
    """One model."""
    clock = CLOCKS[asked.clock]
    backend = Timed(name, asked.threads, clock)
    model = Model(backend.card, backend)
    pixels = np.random.default_rng(0).integers(0, 256, (*asked.size, 3), np.uint8)
    rounds: list[tuple[float, float]] = []
    for _ in range(1 + asked.rounds):
        backend.reset()
        begun = clock()
        model(pixels)
        rounds.append((clock() - begun, backend.seconds))
    shares = [whole / network - 1 for whole, network in rounds[1:]]
    overlap = backend.pixels / (asked.size[0] * asked.size[1]) - 1
    return (
        f"| {name} | {1000 * median(network for _, network in rounds[1:]):.0f} | {median(shares):.1%} "
        f"| {min(shares):.1%} | {overlap:.1%} | {1000 * rounds[0][0]:.0f} |"
    )


if __name__ == "__main__":
    main()
