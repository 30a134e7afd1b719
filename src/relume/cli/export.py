"""Write a trained model as one file, and check that the file computes what the network does.

relume export runs/compact-small-x4 -o compact-small-x4.onnx
"""

from argparse import ArgumentParser
from pathlib import Path

from relume.cli.extras import extra


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("run_dir", type=Path, metavar="RUN", help="folder of a run, or one of its checkpoints")
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=".onnx, which relume runs, or .safetensors, which trains on",
    )
    add(
        "--scores",
        type=Path,
        metavar="FILE",
        help="result of relume eval --json, for the card: the rows of this model",
    )


def run(run_dir: Path, output: Path, scores: Path | None) -> int:
    """Do it; see the module's text."""
    with extra("train"):
        from relume.export import export

    report = export(run_dir, output, scores=scores)
    print(f"{report.path}: {report.card.name}, {report.num_parameters:,} parameters")
    for parity in report.parity:
        print(f"  largest difference at {parity.width}×{parity.height}: {parity.max_abs_diff:.1e}")
    return 0
