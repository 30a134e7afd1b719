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

DISTURBED = 1.1
"""Where the median of the products takes more than this times the least, others used the processor, too."""

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
        ms: median wall time of a picture in memory, to 8 bits in memory.
        output_mp_per_s: millions of result pixels a second.
        gflops: operations a second in the least disturbed round (two a multiplication and addition), in 10⁹.
        peak_gflops: the same of a matrix product in the model's precision by the same runtime, before and
            after each of them; None if the model does not run on the processor.
        of_peak: the one by the other; None as before.
        disturbed: whether other programs used the processor, so that ``of_peak`` says little.
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
    disturbed: bool = False
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
    own: list[float] = []
    peak: list[float] = []
    for _ in range(1 + asked.rounds):  # the first warms up
        peak.append(_seconds(product))
        own.append(_seconds(lambda: restore(backend, card, pixels, tile=asked.tile, depth=np.uint8)))
        peak.append(_seconds(product))
    backend.close()
    own, peak = own[1:], peak[2:]
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
        disturbed=peak_gflops is not None and (median(peak) > DISTURBED * min(peak) or gflops > peak_gflops),
    )
    return replace(speed, **_start(file.path, pixels)) if asked.cold else speed


def markdown(rows: Sequence[Speed]) -> str:
    """The rows as a table; columns that nothing is known for are left out."""
    columns = {name: [cell(row) for row in rows] for name, cell in _COLUMNS.items()}
    known = {name: cells for name, cells in columns.items() if any(cells)}
    rules = ("---" if name in _WORDS else "---:" for name in known)
    lines = [known.keys(), rules, *zip(*known.values(), strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(row: Speed) -> str:
    if row.of_peak is None:
        return ""
    share = f"{row.of_peak:.0%}" if row.of_peak <= 1 else ""
    return ", ".join(filter(None, (share, "disturbed" if row.disturbed else "")))


def _written(value: float | None, form: str, unit: str) -> str:
    return "" if value is None else f"{value:{form}} {unit}"


_WORDS = ("model", "runtime", "precision", "input")
_COLUMNS: dict[str, Callable[[Speed], str]] = {
    "model": lambda row: row.model,
    "runtime": lambda row: row.backend,
    "precision": lambda row: row.precision,
    "input": lambda row: f"{row.side}²",
    "ms": lambda row: f"{row.ms:.0f}",
    "output MP/s": lambda row: f"{row.output_mp_per_s:.2f}",
    "GFLOP/s": lambda row: f"{row.gflops:.0f}",
    "of peak": _share,
    "start": lambda row: _written(row.cold_start_s, ".2f", "s"),
    "imports": lambda row: _written(row.import_s, ".2f", "s"),
    "RSS": lambda row: _written(row.peak_rss_mb, ".0f", "MB"),
}


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
