"""Interlaced films that say so, and those that only look so."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.conftest import picture

from relume.errors import UsageError
from relume.model import Model
from relume.video.decoding import open_film
from relume.video.interlace import FieldLook, filter_options
from relume.video.job import restore_film
from relume.video.plan import Wishes
from relume.video.sources import FilmFile, PictureFiles
from relume.video.tags import planes_of
from relume.video.targets import FilmTarget
from relume.video.verify import verify


def woven(number: int, width: int, height: int, first: int = 0) -> np.ndarray:
    """A frame of two fields, the ``first`` rows of the moment before the others."""
    image = picture(2 * number + 1, width, height)
    image[first::2] = picture(2 * number, width, height)[first::2]
    return image


def noisy(image: np.ndarray, number: int) -> np.ndarray:
    noise = np.random.default_rng(number).normal(0, 30, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def bottom_first(number: int, width: int, height: int) -> np.ndarray:
    return woven(number, width, height, first=1)


def panned_down(number: int, width: int, height: int) -> np.ndarray:
    return picture(0, width, height + 40)[number : number + height]


def still(number: int, width: int, height: int) -> np.ndarray:
    return woven(0, width, height)


def order_of(pictures) -> str | None:
    look = FieldLook()
    for number in range(12):
        look.add(av.VideoFrame.from_ndarray(pictures(number, 96, 64), "rgb24").reformat(format="yuv420p"))
    return look.order


def flickering(number: int, width: int, height: int) -> np.ndarray:
    light = np.random.default_rng(number).uniform(0.5, 1)
    return (picture(number, width, height) * light).astype(np.uint8)


@pytest.mark.parametrize(
    ("pictures", "order"),
    [
        (picture, None),
        (panned_down, None),
        (flickering, None),
        (still, None),
        (woven, "tff"),
        (bottom_first, "bff"),
    ],
)
def test_the_look_of_fields(pictures, order: str | None):
    assert order_of(pictures) == order
    assert order_of(lambda number, *size: noisy(pictures(number, *size), number)) == order


def test_the_clips_are_progressive_until_they_are_woven(shared_data: Path):
    """Also with strong noise."""
    for path in sorted((shared_data / "video").glob("*.mp4")):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="gray") for frame in islice(container.decode(video=0), 60)]
        frames = [frame[-240:, -320:] for frame in frames]
        fields = [frame.copy() for frame in frames[0:-1:2]]
        for both, last in zip(fields, frames[1::2], strict=True):
            both[1::2] = last[1::2]
        for pictures, order in ((frames, None), (fields, "tff")):
            assert (path.name, _look(pictures)) == (path.name, order)
            noisy_ones = [noisy(image, number) for number, image in enumerate(pictures)]
            assert (path.name, _look(noisy_ones)) == (path.name, order)


def _look(pictures: list[np.ndarray]) -> str | None:
    look = FieldLook()
    for image in pictures:
        look.add(av.VideoFrame.from_ndarray(image, "gray"))
    return look.order


def test_a_film_that_begins_with_a_still(make_clip):
    def later(number: int, width: int, height: int) -> np.ndarray:
        return woven(number, width, height) if number > 60 else picture(0, width, height)

    with open_film(make_clip(codec="ffv1", size=(96, 64), pictures=later, pts=range(120))) as film:
        assert film.info.interlaced == "seen"
        assert film.info.num_frames == len(list(film.frames())) == 120


def test_filter_options():
    assert filter_options("no", None, "auto") is None
    assert filter_options("seen", "bff", "off") is None
    assert filter_options("seen", "bff", "auto") == "deint=all:parity=bff"
    assert filter_options("marked", None, "auto") == "deint=interlaced"
    assert filter_options("marked", None, "on") == "deint=all:parity=auto"


def test_what_only_looks_interlaced_is_deinterlaced_too(make_clip, model: Model, tmp_path: Path):
    source = make_clip(codec="ffv1", size=(96, 64), pictures=woven)
    target = FilmTarget(tmp_path / "out.mkv")
    done = restore_film(FilmFile(source), target, model, Wishes(preset="12"), lambda progress: None)
    assert (done.interlaced, done.deinterlaced, done.num_frames) == ("seen", True, 12)
    broken = {check.name for check in verify(source, target.path) if not check.kept}
    assert broken <= {"flicker"}  # of an untrained network
    with open_film(source, "auto") as film, open_film(source, "off") as left:
        truth = [picture(2 * number, 96, 64).astype(float).mean(axis=2) for number in range(12)]
        errors = np.zeros(2)
        for number, frames in enumerate(zip(film.frames(), left.frames(), strict=True)):
            for place, frame in enumerate(frames):
                luma = planes_of(frame.image)[0].astype(float)
                levels = (luma - 16) * 255 / 219
                errors[place] += np.abs(levels - truth[number] * levels.mean() / truth[number].mean()).mean()
        assert errors[0] < errors[1]


def test_wishes(make_clip, model: Model, tmp_path: Path):
    source = FilmFile(make_clip(codec="ffv1", size=(96, 64), pictures=woven))
    target = FilmTarget(tmp_path / "out.mkv")
    done = restore_film(source, target, model, Wishes(deinterlace="off"), lambda progress: None)
    assert (done.interlaced, done.deinterlaced) == ("seen", False)
    pictures = PictureFiles("frames", [tmp_path / "1.png"], Fraction(25))
    with pytest.raises(UsageError, match="cannot be deinterlaced"):
        restore_film(pictures, target, model, Wishes(deinterlace="on"), lambda progress: None)
