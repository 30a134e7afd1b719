"""Every backend against PyTorch eager: the same network, picture and run, float32, all allowed threads.

    python benchmarks/backends.py
    python benchmarks/backends.py --network srresnet-x4 --side 160 --rounds 15 --json srresnet.json

Rounds are interleaved: every backend runs once a round, and the ratio of a round compares neighbours in time,
so that what else the machine does falls on all. The table shows medians over the rounds.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from relume.archs import Network, build
from relume.backends import open_backend
from relume.card import ModelCard
from relume.export import write_model
from relume.machine import num_threads

NETWORKS: dict[str, tuple[str, dict[str, Any], int]] = {
    "compact-tiny-x4": ("compact", {"scale": 4, "size": "tiny"}, 384),
    "compact-small-x4": ("compact", {"scale": 4, "size": "small"}, 384),
    "compact-medium-x4": ("compact", {"scale": 4, "size": "medium"}, 256),
    "srresnet-x4": ("srresnet", {"scale": 4}, 128),
}
"""Name -> architecture, its options, side of the input in pixels."""

REFERENCE = "PyTorch eager, NCHW"
BACKENDS = {"PyTorch channels_last": "torch", "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}

Run = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Measure what was asked and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, action="append", help="default: all")
    parser.add_argument("--side", type=int, help="rows and columns of the input")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=num_threads())
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    rows = [row for name in asked.network or NETWORKS for row in measure(name, asked)]
    print(table(rows))
    if asked.json:
        asked.json.write_text(json.dumps({"threads": asked.threads, "rows": rows}, indent=1) + "\n")


def measure(name: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a backend; the reference first."""
    arch, options, usual = NETWORKS[name]
    side = asked.side or usual
    torch.manual_seed(0)
    network = build(arch, options).deployed()
    lq = np.random.default_rng(0).random((1, side, side, 3), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        runs = {REFERENCE: eager(network)} | opened(network, name, arch, options, Path(folder), asked.threads)
        expected = runs[REFERENCE](lq)
        differences = {label: float(abs(run(lq) - expected).max()) for label, run in runs.items()}
        seconds = interleaved(runs, lq, asked.rounds)
    return [
        {
            "network": name,
            "side": side,
            "backend": label,
            "ms": 1000 * statistics.median(times),
            "output_megapixels_per_s": expected[0, ..., 0].size / 1e6 / statistics.median(times),
            "speedup": statistics.median(np.divide(seconds[REFERENCE], times)),
            "max_abs_diff": differences[label],
        }
        for label, times in seconds.items()
    ]


def eager(network: Network) -> Run:
    """PyTorch as most scripts use it."""

    def run(lq: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            sr = network(torch.from_numpy(lq).permute(0, 3, 1, 2).contiguous())
            return sr.clamp(0, 1).permute(0, 2, 3, 1).numpy()

    return run


def opened(
    network: Network, name: str, arch: str, options: dict[str, Any], folder: Path, threads: int
) -> dict[str, Run]:
    """The same weights in every backend of relume."""
    card = ModelCard(
        name=name,
        task="upscale",
        arch=arch,
        arch_options=options,
        scale=network.scale,
        halo_px=network.halo_px,
    )
    files = {".onnx": folder / "model.onnx", ".safetensors": folder / "model.safetensors"}
    write_model(network, card, files[".onnx"])
    torch.manual_seed(0)
    write_model(build(arch, options), card, files[".safetensors"])
    return {
        label: open_backend(
            files[".safetensors" if device == "torch" else ".onnx"], card, device=device, threads=threads
        ).run
        for label, device in BACKENDS.items()
    }


def interleaved(runs: dict[str, Run], lq: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round."""
    seconds: dict[str, list[float]] = {label: [] for label in runs}
    for _ in range(rounds):
        for label, run in runs.items():
            start = time.perf_counter()
            run(lq)
            seconds[label].append(time.perf_counter() - start)
    return seconds


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    head = (
        "| network, input | backend | ms | output MP/s | speed-up | max abs diff |\n|---|---|---|---|---|---|"
    )
    lines = (
        f"| {row['network']}, {row['side']}² | {row['backend']} | {row['ms']:.0f} "
        f"| {row['output_megapixels_per_s']:.2f} | {row['speedup']:.2f} | {row['max_abs_diff']:.1g} |"
        for row in rows
    )
    return "\n".join([head, *lines])


if __name__ == "__main__":
    main()
