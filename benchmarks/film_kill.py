"""Kill a film's restoration at random moments, let it finish, and compare with an undisturbed run.

    python benchmarks/film_kill.py film.mp4 --kills 20 [options of relume upscale]

Prints how many frames each run found finished, and the two hashes.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path


def main() -> int:
    """Run it; the exit code is 1 if the hashes differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    known, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = (Path(folder, f"{name}.mkv") for name in ("whole", "killed"))
        begun = time.perf_counter()
        subprocess.run(_command(known.film, whole, options), check=True, capture_output=True)
        seconds = time.perf_counter() - begun
        found: list[int] = []
        moments = random.Random(7)
        for _ in range(known.kills):
            _kill(_command(known.film, killed, options), moments.uniform(0, 1.1 * seconds))
            found.append(_finished_segments(killed))
        last = subprocess.run(
            _command(known.film, killed, options), check=True, capture_output=True, text=True
        )
        hashes = [sha256(path.read_bytes()).hexdigest() for path in (whole, killed)]
        print(f"undisturbed {seconds:.1f} s; finished segments found after each kill: {found}")
        print(f"frames that the last run found: {json.loads(last.stdout.splitlines()[-1])['resumed_frames']}")
        print(f"undisturbed {hashes[0]}\nkilled      {hashes[1]}")
    return int(hashes[0] != hashes[1])


def _command(film: Path, target: Path, options: list[str]) -> list[str]:
    return [sys.executable, "-m", "relume", "upscale", str(film), "-o", str(target), "--json", *options]


def _kill(command: list[str], after_s: float) -> None:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


def _finished_segments(target: Path) -> int:
    return len(list(target.with_name(f"{target.name}.parts").glob("[0-9]*.mkv")))


if __name__ == "__main__":
    sys.exit(main())
