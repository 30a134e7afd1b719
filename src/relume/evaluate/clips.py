"""Clips: how much models make flicker what stands still, beside bicubic enlargement and the clip as it is.

There is no target: the clip is the input. Frames are restored one by one, as ``relume upscale`` does it, and
two in a row are compared unless a scene begins between them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from relume import __version__
from relume.degrade.resize import imresize
from relume.errors import UsageError
from relume.evaluate import (
    Progress,
    common_scale,
    describe_engine,
    describe_machine,
    labelled,
    ticking,
)
from relume.evaluate.clipreport import COLUMNS, ClipReport, ClipRow
from relume.image import Picture
from relume.metrics.flicker import flicker
from relume.model import Model, open_model
from relume.video.colour import luma_of
from relume.video.cuts import CutDetector
from relume.video.decoding import open_film
from relume.video.film import FilmInfo
from relume.video.tags import coding_of
from relume.zoo import find_model

NUM_FRAMES: Final = 25
"""Frames at the beginning of a clip that are measured unless told otherwise."""

INPUT: Final = "input"
"""What the clip as it is is called."""

Restore = Callable[[Picture], NDArray[np.float32]]
"""A frame, of which the restored one is made, HWC RGB in [0, 1]."""


@dataclass(frozen=True)
class ClipFrame:
    """One frame of a clip.

    Attributes:
        picture: its pixels.
        begins_scene: whether a cut is before it.
    """

    picture: Picture
    begins_scene: bool


@dataclass(frozen=True)
class Clip:
    """The beginning of a film; decoded frame by frame, so that it may be larger than the memory.

    Attributes:
        path: the film.
        num_frames: how many are looked at, if there are as many.
    """

    path: Path
    num_frames: int

    def __iter__(self) -> Iterator[ClipFrame]:
        """Decode the frames.

        Raises:
            InputError: if it is no film that can be read, or it changes its size on the way.
        """
        cuts = CutDetector()
        with open_film(self.path) as film:
            coding = coding_of(film.info.pix_fmt, film.info.colour)
            for frame in islice(film.frames(), self.num_frames):
                luma = film.info.planes(frame)[0]
                picture = Picture(film.info.rgb(frame), grey=coding.grey)
                yield ClipFrame(picture, cuts.is_cut(luma, coding.luma[1]))

    def info(self) -> FilmInfo:
        """What the film is.

        Raises:
            InputError: if it is no film that can be read.
        """
        with open_film(self.path) as film:
            return film.info


def evaluate_clips(
    models: Sequence[str],
    clips: Sequence[Path],
    num_frames: int = NUM_FRAMES,
    *,
    device: str = "auto",
    scale: int | None = None,
    progress: Progress | None = None,
) -> ClipReport:
    """Measure the flicker of models on clips, beside the input's own and that of bicubic enlargement.

    Args:
        models: names or files of models; none measures bicubic alone.
        clips: films, as they are.
        num_frames: how many of each are looked at, from its beginning.
        device: where the models run.
        scale: output pixels per input pixel and side; by default the models' own, or 4 without models. At 1
            there is nothing to enlarge, and no bicubic row.
        progress: called after every frame.

    Raises:
        UsageError: for an unknown model or device, models of different scales and no ``scale``, or fewer than
            two frames.
        InputError: if a clip cannot be read.
    """
    if num_frames < 2:
        raise UsageError("flicker is what changes between frames", got=num_frames, allowed="2 or more")
    scale = common_scale(models, scale)
    files = [find_model(name, scale) for name in models]
    named = labelled((file.card.name, name, file.path) for name, file in zip(models, files, strict=True))
    paths = labelled((path.name, str(path), path) for path in clips)
    films = {label: Clip(path, num_frames) for label, path in paths.items()}
    described = {label: _describe(clip) for label, clip in films.items()}
    baselines: dict[str, Restore] = {INPUT: _pixels}
    if scale > 1:
        baselines["bicubic"] = partial(_enlarge, scale=scale)
    total = sum(clip["num_frames"] for clip in described.values())
    run = partial(_measure, tick=ticking(progress, total * (len(baselines) + len(named))))

    rows = [run(label, restore, *item) for label, restore in baselines.items() for item in films.items()]
    engines: dict[str, dict[str, Any]] = {}
    for label, path in named.items():
        with open_model(str(path), device=device) as model:
            engines[label] = describe_engine(model)
            rows += [run(label, partial(_restore, model, scale), *item) for item in films.items()]
    return ClipReport(_manifest(scale, described, engines), tuple(rows))


def _measure(model: str, restore: Restore, name: str, clip: Clip, *, tick: Callable[[str], None]) -> ClipRow:
    """Restore the frames of a clip and compare each with the one before."""
    changes = [
        change
        for before, now in pairwise(_lumas(clip, restore, partial(tick, f"{model} on {name}")))
        if not now.begins_scene and not np.isnan(change := _change(before, now)).any()
    ]
    means = np.mean(changes, axis=0) if changes else (np.nan, np.nan)
    values = {column.key: float(mean) for column, mean in zip(COLUMNS, means, strict=True)}
    return ClipRow(model, name, len(changes), values)


@dataclass(frozen=True, eq=False)
class _Lumas:
    """Brightness of a frame: of the input, of the result, and of the result made small again."""

    lq: NDArray[np.float32]
    sr: NDArray[np.float32]
    small: NDArray[np.float32]
    begins_scene: bool


def _lumas(clip: Clip, restore: Restore, tick: Callable[[], None]) -> Iterator[_Lumas]:
    for frame in clip:
        lq, sr = (luma_of(rgb) for rgb in (frame.picture.pixels, restore(frame.picture)))
        small = imresize(sr, height=lq.shape[0], width=lq.shape[1])
        yield _Lumas(lq, sr, small, frame.begins_scene)
        tick()


def _change(before: _Lumas, now: _Lumas) -> tuple[float, float]:
    """Of the result made small again, and of the result, where the input stands still."""
    small, large = (
        flicker(before.lq, now.lq, *results)[1]
        for results in ((before.small, now.small), (before.sr, now.sr))
    )
    return small, large


def _pixels(picture: Picture) -> NDArray[np.float32]:
    return picture.pixels


def _enlarge(picture: Picture, scale: int) -> NDArray[np.float32]:
    return imresize(picture.pixels, scale=scale).clip(0, 1)


def _restore(model: Model, scale: int, picture: Picture) -> NDArray[np.float32]:
    return model.restore_picture(picture, scale=scale).pixels


def _describe(clip: Clip) -> dict[str, Any]:
    """What the manifest says of a clip; all of what is measured is decoded once to know it."""
    info = clip.info()
    digest = hashlib.sha256(f"{info.width}×{info.height}".encode())
    num_frames = num_cuts = 0
    for frame in clip:
        digest.update(frame.picture.pixels.tobytes())
        num_frames += 1
        num_cuts += frame.begins_scene
    return {
        "sha256": digest.hexdigest(),
        "size": [info.width, info.height],
        "num_frames": num_frames,
        "num_cuts": num_cuts,
        "deinterlaced": info.deinterlacing is not None,
    }


def _manifest(scale: int, clips: Mapping[str, Any], models: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "relume": __version__,
        "scale": scale,
        "clips": clips,
        "models": models,
        **describe_machine(),
    }
