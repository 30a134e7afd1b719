"""How long a film's restoration takes to leave after Ctrl-C, at whatever it is.

    python benchmarks/film_interrupt.py film.mp4 --after 2 10 40 [options of relume upscale]

Starts the job anew for each moment, interrupts it then, and prints the wall-clock seconds until the process
is gone, and its exit code.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--after", type=float, nargs="+", default=[2.0, 10.0, 40.0], metavar="SECONDS")
    known, options = parser.parse_known_args()
    for moment in known.after:
        with tempfile.TemporaryDirectory() as folder:
            seconds, code = _interrupted(known.film, Path(folder, "result.mkv"), moment, options)
        print(f"Ctrl-C after {moment:g} s: gone in {seconds:.1f} s, exit code {code}", flush=True)


def _interrupted(film: Path, target: Path, after_s: float, options: list[str]) -> tuple[float, int]:
    command = [sys.executable, "-m", "relume", "upscale", str(film), "-o", str(target), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        time.sleep(after_s)
        begun = time.perf_counter()
        process.send_signal(signal.SIGINT)
        code = process.wait()
        return time.perf_counter() - begun, code


if __name__ == "__main__":
    main()
