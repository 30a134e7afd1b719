"""Write a trained model as one file, and check that the file computes what the network does.

    relume export runs/compact-small-x4 -o compact-small-x4.onnx
    relume export compact-small-x4.onnx --int8 --calibrate photos/ -o compact-small-x4-int8.onnx

A model in 8 bits is faster on processors made for that, and a little less exact: measure how much with
relume eval.
"""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from relume.cli.extras import extra
from relume.errors import UsageError
from relume.files import refuse_unwritable


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add(
        "run_dir",
        type=Path,
        metavar="RUN",
        help="folder of a run, one of its checkpoints, a .safetensors, or with --int8 an .onnx",
    )
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
    add("--int8", action="store_true", help="write an .onnx in 8 bits")
    add(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="with --int8: training pictures, for ranges of numbers; both sides at least 96 px × scale",
    )


def run(run_dir: Path, output: Path, scores: Path | None, int8: bool, calibrate: Path | None) -> int:
    """Do it; see the module's text."""
    refuse_unwritable(output)
    if int8 != (calibrate is not None):
        raise UsageError("--int8 and --calibrate DIR need each other", hint="DIR holds training pictures")
    if calibrate is not None:
        return _quantise(run_dir, output, scores, calibrate)
    return _export(run_dir, output, scores)


def _export(run_dir: Path, output: Path, scores: Path | None) -> int:
    with extra("train"):
        from relume.export import export

    report = export(run_dir, output, scores=scores)
    print(f"{report.path}: {report.card.name}, {report.num_parameters:,} parameters")
    for parity in report.parity:
        print(f"  largest difference at {parity.width}×{parity.height}: {parity.max_abs_diff:.1e}")
    return 0


def _quantise(source: Path, output: Path, scores: Path | None, calibrate: Path) -> int:
    with extra("train"):
        from relume.export import export
        from relume.quantisation import quantise

    with TemporaryDirectory() as folder:
        if source.suffix != ".onnx":
            source = export(source, Path(folder) / "float32.onnx").path
        report = quantise(source, output, calibrate, scores=scores)
    print(f"{report.path}: {report.card.name}, calibrated on {report.card.calibration}")
    print(f"  against float32: {report.psnr:.1f} dB")
    return 0
