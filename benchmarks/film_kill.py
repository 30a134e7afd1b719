"""Kill a film's restoration at random moments until it is finished, and compare with an undisturbed run.

    python benchmarks/film_kill.py film.mp4 --kills 20 [options of relume upscale]

A job that is finished before all kills are used up begins anew, so that each kill hits a run. Prints how many
segments were finished at each kill, and the hash of every result.
"""

import argparse
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
    parser.add_argument(
        "--share", type=float, default=0.8, help="latest kill, in times of an undisturbed run"
    )
    known, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = (Path(folder, f"{name}.mkv") for name in ("whole", "killed"))
        begun = time.perf_counter()
        subprocess.run(_command(known.film, whole, options), check=True, capture_output=True)
        seconds = time.perf_counter() - begun
        found: list[int] = []
        hashes: list[str] = []
        moments = random.Random(7)
        while len(found) < known.kills or not hashes:
            limit = moments.uniform(0, known.share * seconds) if len(found) < known.kills else None
            if _killed(_command(known.film, killed, options), limit):
                found.append(_finished_segments(killed))
            else:
                hashes.append(_hash(killed))
                killed.unlink()  # and once more from the beginning
        print(f"undisturbed {seconds:.1f} s; finished segments found after each kill: {found}")
        print(f"undisturbed {_hash(whole)}")
        for digest in hashes:
            print(f"killed      {digest}")
        return int({*hashes} != {_hash(whole)})


def _command(film: Path, target: Path, options: list[str]) -> list[str]:
    return [sys.executable, "-m", "relume", "upscale", str(film), "-o", str(target), "--json", *options]


def _killed(command: list[str], after_s: float | None) -> bool:
    """Whether the process had to be killed at that time."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return True
    return False


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _finished_segments(target: Path) -> int:
    return len(list(target.with_name(f"{target.name}.parts").glob("[0-9]*.mkv")))


if __name__ == "__main__":
    sys.exit(main())
