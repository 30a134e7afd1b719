"""What moved since the last release: ratios of speed, as times do not compare between days and machines.

    python benchmarks/peers.py --json peers.json && python benchmarks/guard.py peers.json
    python benchmarks/guard.py peers.json --accept    the new ratios become those to compare with

``baseline.json`` holds, per model, how many times as fast as the first peer (PyTorch eager) each one was. The
exit code is 1 if relume fell back by more than the tolerance; what others did is only told.
"""

import argparse
import json
import sys
from pathlib import Path

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.10
"""Smaller changes of a ratio are noise."""

Ratios = dict[str, dict[str, float]]
"""Model -> peer -> speed-up."""


def main() -> int:
    """Compare, or accept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measured", type=Path, nargs="+", metavar="JSON", help="of benchmarks/peers.py")
    parser.add_argument("--accept", action="store_true")
    asked = parser.parse_args()
    new = read(asked.measured)
    if asked.accept:
        BASELINE.write_text(json.dumps(new, indent=1, sort_keys=True) + "\n")
        return 0
    lines, fell_back = compare(json.loads(BASELINE.read_text()), new)
    print("\n".join(lines) or "nothing moved")
    return int(fell_back)


def read(files: list[Path]) -> Ratios:
    """The ratios in results of ``benchmarks/peers.py``."""
    ratios: Ratios = {}
    for file in files:
        for row in json.loads(file.read_text())["rows"]:
            if "speedup" in row:
                ratios.setdefault(row["model"], {})[row["peer"]] = round(row["speedup"], 2)
    return ratios


def compare(old: Ratios, new: Ratios) -> tuple[list[str], bool]:
    """What moved, one line each, and whether relume is slower."""
    lines: list[str] = []
    fell_back = False
    for model, peers in old.items():
        for peer, before in peers.items():
            after = new.get(model, {}).get(peer)
            if after is None:
                lines.append(f"{model}, {peer}: {before:.2f} before, not measured now")
            elif abs(after / before - 1) > TOLERANCE:
                lines.append(f"{model}, {peer}: {before:.2f} → {after:.2f} ({after / before - 1:+.0%})")
                fell_back |= peer.startswith("relume") and after < before
    return lines, fell_back


if __name__ == "__main__":
    sys.exit(main())
