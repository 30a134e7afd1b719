"""relume beside what else could run the same network on the same picture, each in a process of its own.

    python benchmarks/peers.py compact-small-x4 compact-medium-x4 srresnet-x4
    python benchmarks/peers.py srresnet-x4.safetensors --calibrate photos/ --json peers.json --markdown a.md

A model is a name in the package, whose architecture then gets fresh weights (of no effect on speed), or
a ``.safetensors`` of ``relume export``. With ``--calibrate`` all that can are measured in 8 bits as well.

Rounds are interleaved: every peer runs once a round, and the speed-up is the median of the ratios within a
round, so that what else the machine does falls on all. On a machine that is never quiet take processor time
on one thread: ``--clock processor --threads 1``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from calibration import write_quantised
from peer import PEERS

from relume.archs import Network, build
from relume.archs.base import Mergeable
from relume.card import ModelCard
from relume.errors import RelumeError
from relume.export import OPSET, write_model
from relume.machine import num_threads
from relume.zoo import find_model, read_card

REFERENCE = next(iter(PEERS))
LARGEST_DIFFERENCE = 1e-4
"""Of a float32 result from PyTorch's, in units of the [0, 1] range."""

SIDES = {"compact": 256, "srresnet": 96}
"""Rows and columns of the input by architecture."""


def main() -> None:
    """Measure what was asked, print the table, write files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["compact-small-x4", "compact-medium-x4", "srresnet-x4"])
    parser.add_argument("--side", type=int, help="rows and columns of the input")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=num_threads())
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--calibrate", type=Path, metavar="DIR", help="pictures for models in 8 bits")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    asked = parser.parse_args()
    rows = [row for model in asked.models for row in measure(model, asked)]
    text = table(rows)
    print(text)
    if asked.json:
        settings = {"threads": asked.threads, "clock": asked.clock, "rounds": asked.rounds}
        asked.json.write_text(json.dumps(settings | {"rows": rows}, indent=1) + "\n")
    if asked.markdown:
        asked.markdown.write_text(text + "\n")


def measure(model: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a peer; the reference first."""
    with tempfile.TemporaryDirectory() as folder:
        card = prepare(model, Path(folder), asked)
        peers = {name: Peer(name, Path(folder), asked.threads) for name in PEERS}
        for _ in range(1 + asked.rounds):  # the first warms up
            for peer in peers.values():
                peer.run()
        for peer in peers.values():
            peer.finish()
        expected = np.load(Path(folder) / f"{REFERENCE}.npy")
        side = expected.shape[0] // card.scale
        return [
            {"model": card.name, "side": side} | peer.row(peers[REFERENCE], expected, asked.clock)
            for peer in peers.values()
        ]


def prepare(model: str, folder: Path, asked: argparse.Namespace) -> ModelCard:
    """Write the picture and every file that a peer opens."""
    card = write_networks(model, folder)
    side = asked.side or SIDES.get(card.arch, 128)
    lq = np.random.default_rng(0).integers(0, 256, (side, side, card.channels), np.uint8)
    np.save(folder / "lq.npy", lq)
    network, _ = trained(folder / "model.safetensors")
    example = torch.rand(1, card.channels, side, side)
    write_plain(network, example, folder / "plain.onnx")
    attempt("ncnn", lambda: write_ncnn(network, example, folder / "plain.pt"))
    if asked.calibrate:
        for name, write in write_quantised(folder, asked.calibrate).items():
            attempt(name, write)
    return card


def write_networks(model: str, folder: Path) -> ModelCard:
    """The network as it trains, and in both forms for use: merged only, and as ``relume export`` has it."""
    if model.endswith(".safetensors"):
        (folder / "model.safetensors").write_bytes(Path(model).read_bytes())
        card = read_card(Path(model))
    else:
        card = find_model(model).card
        torch.manual_seed(0)
        write_model(build(card.arch, card.arch_options), card, folder / "model.safetensors")
    network, _ = trained(folder / "model.safetensors", merged=False)
    write_model(network, card, folder / "relume.onnx")
    return card


def trained(weights: Path, *, merged: bool = True) -> tuple[Network, ModelCard]:
    """A network for inference without anything rewritten; branches of training merged, as scripts do."""
    from safetensors.torch import load_file

    card = read_card(weights)
    network = build(card.arch, card.arch_options)
    network.load_state_dict(load_file(weights))
    for module in list(network.children()) if merged else []:
        for part in module.modules():
            if isinstance(part, Mergeable):
                part.merge()
    return network.eval().requires_grad_(False), card


def write_plain(network: Network, lq: torch.Tensor, path: Path) -> None:
    """The network as PyTorch's manual says how, for pictures of this size."""
    names: dict[str, Any] = {"input_names": ["lq"], "output_names": ["sr"]}
    torch.onnx.export(network, (lq,), path, **names, opset_version=OPSET, dynamo=True, verbose=False)


def write_ncnn(network: Network, lq: torch.Tensor, path: Path) -> None:
    """The network as ncnn's own tool converts it."""
    import pnnx

    torch.jit.trace(network, lq).save(path)
    shape = f"inputshape={list(lq.shape)}f32".replace(" ", "")
    subprocess.run([pnnx.EXEC_PATH, path, shape, "fp16=0"], capture_output=True, check=True)


def attempt(name: str, write: Any) -> None:
    """Do it, or say why not: the peer is missing from the table then."""
    try:
        write()
    except (ImportError, RelumeError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)


class Peer:
    """A process of ``benchmarks/peer.py``.

    Attributes:
        name: in the table.
        answers: of its runs, the first of which warmed up; empty if it does not work.
    """

    def __init__(self, name: str, folder: Path, threads: int):
        self.name = name
        self.answers: list[dict[str, float]] = []
        self._folder = folder
        command = [sys.executable, str(Path(__file__).with_name("peer.py")), name, str(folder), str(threads)]
        self._log = (folder / f"{name}.log").open("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )

    def run(self) -> None:
        """Restore the picture once more, unless it has failed."""
        if self._process.poll() is not None:
            return
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(file=self._process.stdin, flush=True)
            self.answers.append(json.loads(self._process.stdout.readline()))
        except (BrokenPipeError, ValueError):
            self._process.wait()

    def finish(self) -> None:
        """Wait until it has left its result."""
        self._process.communicate()

    def row(self, reference: "Peer", expected: np.ndarray, clock: str) -> dict[str, Any]:
        """What it took; times are medians, ratios medians of those within a round."""
        own, others = ([answer[f"{clock}_s"] for answer in peer.answers[1:]] for peer in (self, reference))
        if not own:
            return {"peer": self.name, "failed": self._failure()}
        error = np.load(self._folder / f"{self.name}.npy").astype(np.float64) - expected
        return {
            "peer": self.name,
            "ms": 1000 * median(own),
            "output_mp_per_s": expected[..., 0].size / 1e6 / median(own),
            "speedup": median(other / time for other, time in zip(others, own, strict=True)),
            "max_abs_diff": float(abs(error).max()),
            "psnr": float(-10 * np.log10(np.square(error).mean() + 1e-20)),
            "peak_rss_mb": max(answer["rss_mb"] for answer in self.answers),
        }

    def _failure(self) -> str:
        self._log.seek(0)
        told = self._log.read().strip().splitlines() or ["nothing said"]
        return f"exit code {self._process.returncode}: {told[-1]}"[:120]


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows in Markdown; what a float32 peer may not differ by is marked."""
    lines = [
        "| model, input | with | ms | output MP/s | speed-up | difference | peak RSS |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        start = f"| {row['model']}, {row['side']}² | {row['peer']} "
        if "failed" in row:
            lines.append(f"{start}| – | – | – | {row['failed']} | – |")
            continue
        int8 = row["peer"].endswith("int8")
        mark = "" if int8 or row["max_abs_diff"] <= LARGEST_DIFFERENCE else " (!)"
        difference = f"{row['psnr']:.1f} dB" if int8 else f"{row['max_abs_diff']:.0e}{mark}"
        lines.append(
            f"{start}| {row['ms']:.0f} | {row['output_mp_per_s']:.2f} | {row['speedup']:.2f} "
            f"| {difference} | {row['peak_rss_mb']:.0f} MB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
