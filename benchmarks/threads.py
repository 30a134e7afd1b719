"""Threads: what they cost where there is one core for them, and two of them beside two streams.

    python benchmarks/threads.py compact-small-x4 --side 256

On one core: the number of threads that relume chooses in a process held to one core, and one for every core
of the machine, as other programs choose, against one thread. On all cores: one picture after the other by as
many threads, against as many pictures at a time by one thread each. Wall times, in alternating rounds. Each
table's part is a process of its own, as threads that a runtime has once started stay on the cores they have.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

from relume.backends import Backend, open_backend
from relume.machine import num_threads
from relume.zoo import find_model


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["compact-small-x4", "compact-small-x4-int8"])
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    lq = np.random.default_rng(0).random((1, asked.side, asked.side, 3), np.float32)
    print("| model | on | way | ms a picture | times the first |")
    print("| --- | --- | --- | ---: | ---: |")
    processes = multiprocessing.get_context("spawn")
    for name in asked.models:
        for part in (on_one_core, on_all_cores):
            process = processes.Process(target=part, args=(name, lq, asked.rounds))
            process.start()
            process.join()


def on_one_core(name: str, lq: np.ndarray, rounds: int) -> None:
    """Print the rows for a process that may run on one core only."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ways = {
        "one thread": one_by_one(name, 1, lq),
        f"relume's choice ({num_threads()})": one_by_one(name, num_threads(), lq),
        f"{os.cpu_count()} threads": one_by_one(name, os.cpu_count() or 1, lq),
    }
    tell(name, "one core", ways, rounds)


def on_all_cores(name: str, lq: np.ndarray, rounds: int) -> None:
    """Print the rows for a process that has all cores."""
    count = num_threads()
    ways = {
        "one thread": one_by_one(name, 1, lq),
        f"{count} threads": one_by_one(name, count, lq),
        f"{count} streams": at_a_time(name, count, lq),
    }
    tell(name, f"{count} cores", ways, rounds)


def opened(name: str, threads: int) -> Backend:
    """A model of its own."""
    file = find_model(name)
    return open_backend(file.path, file.card, device="cpu", threads=threads)


def one_by_one(name: str, threads: int, lq: np.ndarray) -> Callable[[], float]:
    """Seconds that a picture takes by so many threads."""
    backend = opened(name, threads)
    return lambda: seconds(lambda: backend.run(lq, np.uint8))


def at_a_time(name: str, count: int, lq: np.ndarray) -> Callable[[], float]:
    """Seconds a picture where so many are worked on at a time, each by one thread."""
    backends = [opened(name, 1) for _ in range(count)]
    threads = ThreadPoolExecutor(count)
    return lambda: seconds(lambda: list(threads.map(lambda b: b.run(lq, np.uint8), backends))) / count


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def tell(name: str, on: str, ways: dict[str, Callable[[], float]], rounds: int) -> None:
    """Measure some ways round by round, and print a row each."""
    found = [[way() for way in ways.values()] for _ in range(1 + rounds)][1:]  # the first warms up
    for way, times in zip(ways, zip(*found, strict=True), strict=True):
        ratio = median(own / first for own, (first, *_) in zip(times, found, strict=True))
        print(f"| {name} | {on} | {way} | {1000 * median(times):.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
