"""How fast models run here, beside what this processor could do at most."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from relume.backends import open_backend
from relume.engine.restore import Pixels, restore
from relume.zoo import ModelFile

PEAK_SIDE = 1024
"""Side of the matrices whose product stands for what the processor can do."""


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
        gflops: float operations a second that this means (two a multiplication and addition), in 10⁹.
        peak_gflops: the same of a float32 matrix product, measured in the same rounds.
        of_peak: median over the rounds of the one by the other.
        cold_start_s: ``relume upscale`` from start to written file, in a process of its own; None: not asked.
        peak_rss_mb: the most memory that this process held, in 10⁶ bytes; None: not asked.
    """

    model: str
    backend: str
    precision: str
    side: int
    ms: float
    output_mp_per_s: float
    gflops: float
    peak_gflops: float
    of_peak: float
    cold_start_s: float | None = None
    peak_rss_mb: float | None = None


def measure(file: ModelFile, asked: Asked) -> Speed:
    """Run a model on noise, round by round beside the matrix product.

    Raises:
        UsageError: if the device is unknown or absent.
        OutOfMemory: if the picture does not fit.
    """
    card = file.card
    pixels = np.random.default_rng(0).random((asked.side, asked.side, 3), np.float32)
    backend = open_backend(file.path, card, device=asked.device)
    product = _matrix_product()
    _seconds(lambda: restore(backend, card, pixels, tile=asked.tile))
    product()
    pairs = [
        (_seconds(lambda: restore(backend, card, pixels, tile=asked.tile)), product())
        for _ in range(asked.rounds)
    ]
    backend.close()
    seconds = median(own for own, _ in pairs)
    operations = _num_operations(file.path, asked.side)
    cold_s, rss = _cold_start(file.path, pixels) if asked.cold else (None, None)
    return Speed(
        model=card.name,
        backend=backend.name,
        precision=card.precision,
        side=asked.side,
        ms=1000 * seconds,
        output_mp_per_s=(asked.side * card.scale) ** 2 / seconds / 1e6,
        gflops=operations / seconds / 1e9,
        peak_gflops=median(peak for _, peak in pairs),
        of_peak=median(operations / own / 1e9 / peak for own, peak in pairs),
        cold_start_s=cold_s,
        peak_rss_mb=rss,
    )


def markdown(rows: Sequence[Speed]) -> str:
    """The rows as a table."""
    lines = [
        "| model | runtime | precision | input | ms | output MP/s | GFLOP/s | of peak | cold start | RSS |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cold = "" if row.cold_start_s is None else f"{row.cold_start_s:.2f} s"
        rss = "" if row.peak_rss_mb is None else f"{row.peak_rss_mb:.0f} MB"
        lines.append(
            f"| {row.model} | {row.backend} | {row.precision} | {row.side}² | {row.ms:.0f} "
            f"| {row.output_mp_per_s:.2f} | {row.gflops:.0f} | {row.of_peak:.0%} | {cold} | {rss} |"
        )
    return "\n".join(lines)


def _num_operations(path: Path, side: int) -> int:
    from relume.backends.openvino import num_products

    return 2 * num_products(path, side)


def _matrix_product() -> Callable[[], float]:
    """What measures, in GFLOP/s, a float32 matrix product on all the threads that NumPy uses."""
    matrix = np.random.default_rng(0).random((PEAK_SIDE, PEAK_SIDE), np.float32)
    out = np.empty_like(matrix)
    return lambda: 2 * PEAK_SIDE**3 / _seconds(lambda: np.matmul(matrix, matrix, out=out)) / 1e9


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def _cold_start(model: Path, pixels: Pixels) -> tuple[float, float]:
    """Seconds from start to end of ``relume upscale``, and the memory in MB that it says it took."""
    from relume.image import from_array, write_picture

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "lq.png", Path(folder) / "sr.png"
        write_picture(from_array(pixels), source)
        command = [sys.executable, "-m", "relume", "upscale", str(source), "-o", str(target)]
        start = perf_counter()
        told = subprocess.run([*command, "-n", str(model), "--json"], capture_output=True, check=True).stdout
        return perf_counter() - start, float(json.loads(told)["peak_rss_mb"])
