"""Restoring a film beside what the network alone takes, and beside the way over picture files.

    python benchmarks/film.py film.mp4 [-n compact-small-x4] [--frames 48] [--rounds 3] [--codec av1]

In each round one after the other, with the same model: the network alone on the film's frames, one by one
and four at a time; the whole of ``relume upscale`` (decoding, network, encoding and putting together); and
the frames decoded to PNG, enlarged from PNG to PNG, and encoded from PNG. Prints medians of wall time, and of
processor time, which other programs disturb less.
"""

import argparse
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from relume.image import Picture, read_picture, write_picture
from relume.machine import num_threads
from relume.model import Model, open_model
from relume.video.codecs import CODECS
from relume.video.colour import from_rgb, to_rgb
from relume.video.decoding import open_film
from relume.video.film import Excerpt, Film
from relume.video.job import FilmDone, restore_film
from relume.video.plan import Wishes, make_plan
from relume.video.segments import open_segment
from relume.video.sources import FilmFile
from relume.video.tags import coding_of, frame_of, planes_of
from relume.video.targets import FilmTarget

if TYPE_CHECKING:
    from av import VideoFrame


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("-n", "--model", default="compact-small-x4")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--codec", choices=CODECS, default="av1")
    parser.add_argument("--preset")
    asked = parser.parse_args()
    with open_film(asked.film) as film:
        end = asked.frames / film.info.rate
    wishes = Wishes(codec=asked.codec, preset=asked.preset, excerpt=Excerpt(Fraction(0), end))
    with open_model(asked.model) as model, TemporaryDirectory() as folder:
        rgb = _frames(asked.film, wishes)
        ways: dict[str, Callable[[], object]] = {
            "network": lambda: _network(model, rgb, 1),
            "network, four frames at a time": lambda: _network(model, rgb, 4),
            "relume upscale": lambda: _relume(asked.film, Path(folder, "film.mkv"), model, wishes),
            "over PNG files": lambda: _over_png(asked.film, Path(folder), model, wishes),
        }
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(asked.rounds):
            for name, way in ways.items():
                begun = perf_counter(), process_time()
                way()
                seconds[name].append((perf_counter() - begun[0], process_time() - begun[1]))
        done = _relume(asked.film, Path(folder, "film.mkv"), model, wishes)
    _print(asked.model, rgb, seconds, done)


def _print(
    model: str, rgb: NDArray[np.float32], seconds: dict[str, list[tuple[float, float]]], done: FilmDone
) -> None:
    count, height, width, _ = rgb.shape
    computed = count - done.repeated_frames
    print(f"{model}, {count} frames {width}×{height} → {done.width}×{done.height}, {num_threads()} threads")
    print(f"{done.repeated_frames} repeated frames, {done.reused_share:.1%} of the others' pixels known")
    medians = {
        name: [median(times) for times in zip(*values, strict=True)] for name, values in seconds.items()
    }
    own = [time * computed / count for time in medians["network"]]
    for name, (wall, processor) in medians.items():
        print(
            f"| {name} | {count / wall:.2f} fps | {wall / own[0]:.2f} × the network | "
            f"{processor:.1f} s of processor, {processor / own[1]:.2f} × |"
        )


def _frames(path: Path, wishes: Wishes) -> NDArray[np.float32]:
    """All frames, NHWC."""
    with open_film(path) as film:
        return np.stack([_rgb(film, frame.image) for frame in film.frames(wishes.excerpt)])


def _rgb(film: Film, image: "VideoFrame") -> NDArray[np.float32]:
    return to_rgb(planes_of(image), coding_of(film.info.pix_fmt, film.info.colour))


def _network(model: Model, rgb: NDArray[np.float32], size: int) -> None:
    for at in range(0, len(rgb), size):
        model.backend.run(rgb[at : at + size])


def _relume(path: Path, target: Path, model: Model, wishes: Wishes) -> FilmDone:
    return restore_film(FilmFile(path), FilmTarget(target), model, wishes, lambda progress: None)


def _over_png(path: Path, folder: Path, model: Model, wishes: Wishes) -> None:
    """As scripts around picture programs do it: all frames, then all pictures, then all of the film."""
    with open_film(path) as film:
        plan = make_plan(film.info, model.card, wishes)
        for number, frame in enumerate(film.frames(wishes.excerpt)):
            write_picture(Picture(_rgb(film, frame.image)), folder / f"lq{number}.png")
    sources = sorted(folder.glob("lq*.png"))
    for source in sources:
        large = model.restore_picture(read_picture(source), provenance=False)
        write_picture(large, folder / f"sr{source.name}")
    pictures = plan.pictures
    coding = coding_of(pictures.encoding.pix_fmt, pictures.colour)
    with open_segment(folder / "png.mkv", pictures) as writer:
        for source in sources:
            planes = from_rgb(read_picture(folder / f"sr{source.name}").pixels, coding)
            writer.add(frame_of(planes, pictures.encoding.pix_fmt, pictures.colour))


if __name__ == "__main__":
    main()
