"""What ``relume verify`` finds for real films and for hard ones made by hand, as a table.

    PYTHONPATH=. python benchmarks/film_table.py ../shared/data/video/*.mp4 [-n MODEL] [--seconds 0.4]

Of each film the first part is restored, AV1 where it fits. The hard ones are those of ``tests/video``.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.video.conftest import write_clip
from tests.video.test_interlace import woven

from relume.errors import RelumeError
from relume.model import Model, open_model
from relume.video.film import WHOLE, Excerpt
from relume.video.job import restore_film
from relume.video.plan import Wishes
from relume.video.sources import FilmFile
from relume.video.targets import FilmTarget
from relume.video.verify import verify

HDR10 = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
SHOWN = ("frames", "times", "streams", "consistency", "flicker")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("-n", "--model", help="by default what relume upscale takes")
    parser.add_argument("--seconds", type=Fraction, default=Fraction(2, 5))
    asked = parser.parse_args()
    print(f"| film | {' | '.join(SHOWN)} | broken |\n|{' --- |' * (len(SHOWN) + 2)}")
    with TemporaryDirectory() as folder, open_model(asked.model) as model:
        part = Wishes(excerpt=Excerpt(Fraction(0), asked.seconds))
        films = [(path.name, path, part) for path in asked.films]
        for name, path, wishes in [*films, *_hard_ones(Path(folder))]:
            print(f"| {name} | {_row(path, Path(folder, 'result.mkv'), model, wishes)} |", flush=True)


def _row(path: Path, result: Path, model: Model, wishes: Wishes) -> str:
    told: list[str] = []
    try:
        restore_film(FilmFile(path), FilmTarget(result), model, wishes, lambda progress: None, told.append)
    except RelumeError as error:
        return f"refused: {error.got or error.what}" + " |" * len(SHOWN)
    checks = {check.name: check for check in verify(path, result, wishes.excerpt)}
    broken = [name for name, check in checks.items() if not check.kept]
    return " | ".join([*(checks[name].found for name in SHOWN), ", ".join(broken) or "nothing"])


def _hard_ones(folder: Path) -> Iterator[tuple[str, Path, Wishes]]:
    wishes = Wishes(excerpt=WHOLE)
    clips: dict[str, dict[str, Any]] = {
        "variable frame rate": {"pts": [0, 1, 2, 9, 10, 30, 31, 40, 41, 42, 43, 80], "audio": ["eng"]},
        "turned by 90°": {"turn": 90, "audio": ["eng"]},
        "no sound": {},
        "three sound tracks, subtitles, chapters, attachment": {
            "audio": ["eng", "fra", "deu"],
            "subtitles": True,
            "chapters": True,
            "font": b"not really a font",
            "metadata": {"title": "A film"},
        },
        "interlaced, pixels 16:15": {"options": {"x264-params": "tff=1"}, "shape": Fraction(16, 15)},
        "interlaced, not marked": {"pictures": woven, "codec": "ffv1"},
        "4:2:2, 10 bits": {"codec": "ffv1", "pix_fmt": "yuv422p10le"},
        "10 bits, HDR10": {
            "codec": "libx265",
            "pix_fmt": "yuv420p10le",
            "colour": (9, 16, 9, 1),
            "options": {"x265-params": f"log-level=error:master-display={HDR10}:max-cll=1000,400"},
        },
    }
    for number, (name, options) in enumerate(clips.items()):
        codec = "x265" if "shape" in options else "av1"
        named: dict[str, Any] = {"size": (128, 96), **options}
        clip = write_clip(folder / f"{number}.mkv", **named)
        yield name, clip, replace(wishes, codec=codec)
    odd = write_clip(folder / "odd.mkv", size=(127, 95), codec="ffv1")
    yield "127×95 pixels", odd, replace(wishes, codec="ffv1")
    cut = folder / "cut.mkv"
    cut.write_bytes(odd.read_bytes()[:-9000])
    yield "truncated in a packet", cut, replace(wishes, codec="ffv1")
    whole = write_clip(folder / "whole.mp4", size=(128, 96))
    whole.write_bytes(whole.read_bytes()[:2000])
    yield "truncated MP4", whole, wishes
    yield "no frame", write_clip(folder / "none.mkv", pts=[], audio=["eng"]), wishes


if __name__ == "__main__":
    main()
