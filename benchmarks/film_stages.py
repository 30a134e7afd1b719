"""Processor time of each step from a decoded frame to an encoded one, beside the network's own.

    python benchmarks/film_stages.py film.mp4 [-n MODEL ...] [--frames 24] [--rounds 3] [--codecs av1/8 ...]

Each step is run alone, one after the other, in every round; prints medians in milliseconds per frame, and as
a multiple of the network's own. What other encoders take is measured on the first model's frames.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event
from time import process_time
from typing import TYPE_CHECKING, TypeVar

from relume.machine import num_threads
from relume.model import Model, open_model
from relume.video.decoding import open_film
from relume.video.plan import Plan, Wishes, make_plan
from relume.video.restoring import Restorer
from relume.video.segments import Pictures, open_segment

if TYPE_CHECKING:
    from av import VideoFrame

Item = TypeVar("Item")
Steps = dict[str, float]

MODELS = ("compact-small-x4-int8", "compact-small-x4", "compact-small-x2", "compact-medium-x4", "srgan-x4")
CODECS = ("av1/8", "av1/10", "av1/12", "x264/medium", "x264/veryfast", "x265/ultrafast", "ffv1", "prores")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("-n", "--models", nargs="+", default=MODELS)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--codecs", nargs="*", default=CODECS, help="name, or name/preset")
    asked = parser.parse_args()
    print(f"{asked.film.name}, {asked.frames} frames, {num_threads()} threads; ms of processor per frame")
    for name in asked.models:
        with open_model(name) as model:
            _network(asked.film, model, 1)  # compiles it
            rounds = [_steps(asked.film, model, asked.frames) for _ in range(asked.rounds)]
        _print(name, rounds, asked.frames)
    with open_model(asked.models[0]) as model:
        _, images = _restored(asked.film, model, asked.frames)
        for codec in asked.codecs:
            pictures = _plan(asked.film, model, _wishes(codec)).pictures
            spent = median(_encoding(images, pictures) for _ in range(asked.rounds))
            print(f"| {codec} | {1000 * spent / asked.frames:.1f} |", flush=True)


def _steps(path: Path, model: Model, num_frames: int) -> Steps:
    steps, images = _restored(path, model, num_frames)
    return {**steps, "encode": _encoding(images, _plan(path, model, Wishes()).pictures)}


def _print(name: str, rounds: list[Steps], num_frames: int) -> None:
    steps = {step: median(spent[step] for spent in rounds) for step in rounds[0]}
    network, total = steps["network"], sum(steps.values())
    cells = [f"{step} {1000 * spent / num_frames:.1f}" for step, spent in steps.items()]
    print(f"| {name} | {' | '.join(cells)} | encoder {steps['encode'] / network:.2f} ×, ", end="")
    print(f"all {total / network:.2f} × the network |", flush=True)


def _wishes(codec: str) -> Wishes:
    name, _, preset = codec.partition("/")
    return Wishes(codec=name, preset=preset or None)


def _plan(path: Path, model: Model, wishes: Wishes) -> Plan:
    with open_film(path) as film:
        return make_plan(film.info, model.card, wishes)


def _restored(path: Path, model: Model, num_frames: int) -> tuple[Steps, "list[VideoFrame]"]:
    """Everything up to the encoder; each step less what it waits for."""
    clocks = {name: _Clock() for name in ("decode", "colours in", "copies", "colours out")}
    with open_film(path) as film:
        restorer = Restorer(model, film.info, _plan(path, model, Wishes()), Wishes(), Event())
        decoded = clocks["decode"].timed(islice(film.frames(), num_frames))
        looked = clocks["colours in"].timed(restorer.look(decoded))
        enlarged = clocks["copies"].timed(restorer.enlarge(looked))
        images = [frame.image for frame in clocks["colours out"].timed(restorer.code(enlarged))]
    whole = [clock.seconds for clock in clocks.values()]
    steps = {name: own - before for name, own, before in zip(clocks, whole, [0.0, *whole], strict=False)}
    network = _network(path, model, num_frames)
    return {"network": network, **steps, "copies": steps["copies"] - network}, images


class _Clock:
    """Adds up the processor time that an iterator takes, with all that it takes its items from."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, items: Iterator[Item]) -> Iterator[Item]:
        while True:
            begun = process_time()
            item = next(items, None)
            self.seconds += process_time() - begun
            if item is None:
                return
            yield item


def _network(path: Path, model: Model, num_frames: int) -> float:
    with open_film(path) as film:
        batches = [film.info.rgb(frame)[None] for frame in islice(film.frames(), num_frames)]
    return _seconds(lambda: [model.backend.run(batch) for batch in batches])


def _encoding(images: "list[VideoFrame]", pictures: Pictures) -> float:
    images = [image.reformat(format=pictures.encoding.pix_fmt) for image in images]

    def encode() -> None:
        with TemporaryDirectory() as folder, open_segment(Path(folder, "segment.mkv"), pictures) as writer:
            for image in images:
                writer.add(image)

    return _seconds(encode)


def _seconds(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


if __name__ == "__main__":
    main()
