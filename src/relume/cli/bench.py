"""Measure how fast models run on this machine.

    relume bench                          the models in the package
    relume bench compact-small-x4 --quick
    relume bench --json speed.json --markdown speed.md

Each round measures a model between two large matrix products in its precision. Times are medians; the share
of what the processor can do is that of what other programs disturbed least. Where the products differ much
among themselves, or took longer than they can, it says "disturbed": measure again when the machine is quiet.
A start is "relume upscale" in a process of its own, from nothing to the written file.
"""

import json as json_module
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

from relume.cli import devices
from relume.cli.numbers import Numbers


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", help="names or .onnx files (default: all in the package)")
    add("--side", type=Numbers(int, 1), default=256, metavar="PX", help="rows and columns of the picture")
    add("--rounds", type=Numbers(int, 1), default=7, help="how often; medians are shown")
    add("-t", "--tile", type=Numbers(), default=0, metavar="PX", help="side of the tiles; 0: by free memory")
    devices.add_argument(parser, default="cpu")
    add("--quick", action="store_true", help="three rounds, small picture, no start of a process")
    add("--json", type=Path, metavar="FILE", help="write the rows as JSON too")
    add("--markdown", type=Path, metavar="FILE", help="write the table too")


def run(
    models: list[str],
    side: int,
    rounds: int,
    tile: int,
    device: str,
    quick: bool,
    json: Path | None,
    markdown: Path | None,
) -> int:
    """Do it; see the module's text."""
    from relume import bench
    from relume.files import refuse_unwritable, write_text
    from relume.zoo import find_model, list_models

    for path in filter(None, (json, markdown)):
        refuse_unwritable(path)
    asked = bench.Asked(side=side, rounds=rounds, tile=tile, device=device)
    if quick:
        asked = bench.Asked(side=min(side, 96), rounds=3, tile=tile, device=device, cold=False)
    files = [find_model(name) for name in models] or list_models()
    rows = [bench.measure(file, asked) for file in files]
    table = bench.markdown(rows)
    print(table)
    written = {json: json_module.dumps([asdict(row) for row in rows], indent=1), markdown: table}
    for path, text in written.items():
        if path:
            write_text(path, text + "\n")
    return 0
