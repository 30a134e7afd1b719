"""How fast models run here, beside what this processor could do at most."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from relume.backends import open_backend
from relume.engine.restore import Pixels, restore
from relume.machine import num_threads
from relume.zoo import ModelFile

PEAK_SIDE = 1024
"""Side of the matrices whose product stands for what the processor can do."""

NUM_STARTS = 3
"""Processes that are started to measure what a start takes; the median is reported."""


@dataclass(frozen=True)
class Asked:
    """What to measure.

    Attributes:
        side: rows and columns of the picture.
        rounds: how often; medians are reported.
        tile: side of the tiles, 0 for the engine's choice.
        device: see :func:`relume.backends.open_backend`.
        cold: whether to start ``relume upscale`` too, in a process of its own.
    """

    side: int = 256
    rounds: int = 7
    tile: int = 0
    device: str = "cpu"
    cold: bool = True


@dataclass(frozen=True)
class Speed:
    """One model on one runtime.

    Attributes:
        model: name on the card.
        backend: what ran it.
        precision: of the convolutions.
        side: rows and columns of the picture.
        ms: median wall time of a picture in memory.
        output_mp_per_s: millions of result pixels a second.
        gflops: operations a second in the least disturbed round (two a multiplication and addition), in 10⁹.
        peak_gflops: the same of a matrix product in the model's precision by the same runtime, in the same
            rounds; None if the model does not run on the processor.
        of_peak: the one by the other; None as before.
        cold_start_s: ``relume upscale`` from start to written file, in a process of its own; None: not asked.
        import_s: what of such a start Python's imports take; None: not asked.
        peak_rss_mb: the most memory that this process held, in 10⁶ bytes; None: not asked.
    """

    model: str
    backend: str
    precision: str
    side: int
    ms: float
    output_mp_per_s: float
    gflops: float
    peak_gflops: float | None
    of_peak: float | None
    cold_start_s: float | None = None
    import_s: float | None = None
    peak_rss_mb: float | None = None


def measure(file: ModelFile, asked: Asked) -> Speed:
    """Run a model on noise, round by round beside the matrix product.

    Raises:
        UsageError: if the device is unknown or absent.
        OutOfMemory: if the picture does not fit.
    """
    from relume.backends.openvino import matrix_product, num_products

    card = file.card
    pixels = np.random.default_rng(0).random((asked.side, asked.side, 3), np.float32)
    backend = open_backend(file.path, card, device=asked.device)
    product = matrix_product(PEAK_SIDE, num_threads(), int8=card.precision == "int8")
    times: list[tuple[float, float]] = []
    for _ in range(1 + asked.rounds):  # the first warms up
        own = _seconds(lambda: restore(backend, card, pixels, tile=asked.tile))
        times.append((own, _seconds(product)))
    backend.close()
    own, peak = zip(*times[1:], strict=True)
    gflops = 2 * num_products(file.path, asked.side) / min(own) / 1e9
    peak_gflops = 2 * PEAK_SIDE**3 / min(peak) / 1e9 if backend.device == "cpu" else None
    speed = Speed(
        model=card.name,
        backend=backend.name,
        precision=card.precision,
        side=asked.side,
        ms=1000 * median(own),
        output_mp_per_s=(asked.side * card.scale) ** 2 / median(own) / 1e6,
        gflops=gflops,
        peak_gflops=peak_gflops,
        of_peak=gflops / peak_gflops if peak_gflops else None,
    )
    return replace(speed, **_start(file.path, pixels)) if asked.cold else speed


def markdown(rows: Sequence[Speed]) -> str:
    """The rows as a table."""
    lines = [
        "| model | runtime | precision | input | ms | output MP/s | GFLOP/s | of peak "
        "| start | imports | RSS |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        known = (
            _written(row.of_peak, ".0%"),
            _written(row.cold_start_s, ".2f", " s"),
            _written(row.import_s, ".2f", " s"),
            _written(row.peak_rss_mb, ".0f", " MB"),
        )
        lines.append(
            f"| {row.model} | {row.backend} | {row.precision} | {row.side}² | {row.ms:.0f} "
            f"| {row.output_mp_per_s:.2f} | {row.gflops:.0f} | {' | '.join(known)} |"
        )
    return "\n".join(lines)


def _written(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def _start(model: Path, pixels: Pixels) -> dict[str, float]:
    """What ``relume upscale`` takes in a process of its own, from its start to its end."""
    from relume.image import from_array, write_picture

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "lq.png", Path(folder) / "sr.png"
        write_picture(from_array(pixels), source)
        command = ["-m", "relume", "upscale", source, "-o", target, "-n", model, "--json"]
        starts = [_run(command) for _ in range(NUM_STARTS)]
        traced = [_run(["-X", "importtime", *command])[1] for _ in range(NUM_STARTS)]
    return {
        "cold_start_s": median(seconds for seconds, _ in starts),
        "import_s": median(_import_seconds(done.stderr) for done in traced),
        "peak_rss_mb": median(json.loads(done.stdout)["peak_rss_mb"] for _, done in starts),
    }


def _run(arguments: Sequence[str | Path]) -> tuple[float, "subprocess.CompletedProcess[str]"]:
    """Seconds that Python takes with these arguments, and what it says."""
    start = perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return perf_counter() - start, done


def _import_seconds(told: str) -> float:
    """The sum over all modules of what ``-X importtime`` says in lines ``import time: self | ... | name``."""
    rows = (line.removeprefix("import time:").split("|") for line in told.splitlines() if "|" in line)
    return sum(int(row[0]) for row in rows if row[0].strip().isdecimal()) / 1e6
