"""Films made of pictures, pictures made of films, and streams of Y4M."""

from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError, UsageError
from relume.image import read_picture
from relume.model import Model
from relume.video.colour import to_rgb
from relume.video.decoding import open_film
from relume.video.film import Excerpt
from relume.video.job import Progress, restore_film, stream_film
from relume.video.picture_files import PictureFilm, find_numbered, is_numbered, numbered
from relume.video.plan import Wishes
from relume.video.sources import FilmFile, PictureFiles, PipedFilm
from relume.video.tags import coding_of, planes_of
from relume.video.targets import FilmTarget, PicturesTarget

PICTURES = Wishes(codec="pictures")
Y4M = Wishes(codec="y4m")


class Interrupted(Exception):
    pass


def quiet(progress: Progress) -> None: ...


def test_patterns():
    assert is_numbered("a/%05d.png")
    assert is_numbered("%d.tif")
    assert not is_numbered("100 %.png")
    assert not is_numbered("%d/a.png")
    assert numbered(Path("a/x%05d.png"), 12) == Path("a/x00012.png")
    assert numbered(Path("%d.png"), 12) == Path("12.png")


def test_numbered_pictures_are_found_in_order(tmp_path: Path):
    for number in (998, 999, 1000, 1001):
        Path(tmp_path, f"f{number}.png").touch()
    Path(tmp_path, "f1000.jpg").touch()
    found = find_numbered(tmp_path / "f%d.png")
    assert [path.name for path in found] == ["f998.png", "f999.png", "f1000.png", "f1001.png"]
    found[1].unlink()
    with pytest.raises(InputError, match=r"a frame is missing: .*f999.png"):
        find_numbered(tmp_path / "f%d.png")
    with pytest.raises(InputError, match="no file matches"):
        find_numbered(tmp_path / "g%d.png")


@pytest.mark.parametrize(("mode", "layout"), [("RGB", "gbrp"), ("L", "gray"), ("I;16", "gray16le")])
def test_pictures_are_frames_to_the_level(tmp_path: Path, mode: str, layout: str):
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        levels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        image = (
            levels
            if mode == "RGB"
            else levels[..., 0]
            if mode == "L"
            else levels[..., 0].astype(np.uint16) * 251
        )
        Image.fromarray(image).save(path)
    film = PictureFilm(paths, Fraction(10))
    assert (film.info.pix_fmt, film.info.num_frames) == (layout, 5)
    frames = list(film.frames(Excerpt(Fraction(2, 10), Fraction(4, 10))))
    assert [frame.pts for frame in frames] == [2, 3]
    third = film.frame_at(Fraction(15, 100))
    assert third is not None
    for frame in (frames[0], third):
        rgb = to_rgb(planes_of(frame.image), coding_of(layout, film.info.colour))
        assert np.abs(rgb - read_picture(paths[2]).pixels).max() < 1e-6
    assert film.frame_at(Fraction(1)) is None


def test_a_film_becomes_pictures_and_goes_on(make_clip, model: Model, tmp_path: Path):
    """Interrupted, with the last picture damaged meanwhile: the same pictures come out."""
    source = FilmFile(make_clip(pts=range(8)))
    whole, target = (PicturesTarget(tmp_path / name / "%03d.png") for name in ("whole", "out"))
    restore_film(source, whole, model, PICTURES, quiet)
    expected = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    assert sorted(expected) == [f"{number:03}.png" for number in range(1, 9)]

    def interrupt(progress: Progress) -> None:
        if progress.done == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        restore_film(source, target, model, PICTURES, interrupt)
    assert (tmp_path / "out" / "004.png").read_bytes() == expected["004.png"]
    (tmp_path / "out" / "004.png").write_bytes(b"damaged")
    done = restore_film(source, target, model, PICTURES, quiet)
    assert done.resumed_frames == 3
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == expected


def test_deep_films_become_deep_pictures(make_clip, model: Model, tmp_path: Path):
    source = FilmFile(make_clip(codec="ffv1", pix_fmt="yuv420p10le", pts=range(2)))
    restore_film(source, PicturesTarget(tmp_path / "%d.png"), model, PICTURES, quiet)
    picture = read_picture(tmp_path / "1.png")
    assert (picture.bits, picture.width, picture.height) == (16, 192, 128)


def test_pictures_become_a_film(model: Model, tmp_path: Path):
    names = [tmp_path / f"{number}.png" for number in range(4)]
    for number, name in enumerate(names):
        Image.new("RGB", (32, 24), (60 * number, 90, 200)).save(name)
    target = FilmTarget(tmp_path / "out.mkv")
    source = PictureFiles(str(tmp_path), names, Fraction(24000, 1001))
    done = restore_film(source, target, model, Wishes(codec="ffv1"), quiet)
    assert done.num_frames == 4
    with open_film(target.path) as film:
        for number, frame in enumerate(film.frames()):
            assert abs(frame.pts * film.info.time_base - number * Fraction(1001, 24000)) <= Fraction(1, 1000)
            rgb = to_rgb(planes_of(frame.image), coding_of(film.info.pix_fmt, film.info.colour))
            assert np.abs(rgb.mean(axis=(0, 1)) - np.array([60 * number, 90, 200]) / 255).max() < 0.1
    names[2].write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2\.png"):
        restore_film(source, target, model, Wishes(), quiet)
    Image.new("RGB", (33, 24)).save(names[2])
    with pytest.raises(UsageError, match="another job"):  # a picture was exchanged
        restore_film(source, target, model, Wishes(), quiet)


@pytest.mark.parametrize(
    "layout", ["gray", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"]
)
def test_y4m_in_and_out(make_clip, model: Model, layout: str, tmp_path: Path):
    """What is written is what FFmpeg, and relume, read again; all else is as from a file."""
    clip = FilmFile(make_clip(codec="ffv1", pix_fmt=layout, pts=range(3), colour=(2, 2, 2, 1)))
    first, second = BytesIO(), BytesIO()
    done = stream_film(clip, first, model, Y4M, quiet)
    assert (done.num_frames, done.width) == (3, 192)
    path = tmp_path / "film.y4m"
    path.write_bytes(first.getvalue())
    with open_film(path) as film:
        assert (film.info.pix_fmt, film.info.rate) == (layout, 25)
        lossless = FilmTarget(tmp_path / "lossless.mkv")
        restore_film(clip, lossless, model, Wishes(codec="ffv1"), quiet)
        with open_film(lossless.path) as coded:
            for a, b in zip(film.frames(), coded.frames(), strict=True):
                assert all(map(np.array_equal, planes_of(a.image), planes_of(b.image)))
    stream_film(PipedFilm(BytesIO(first.getvalue())), second, model, replace(Y4M, scale=1), quiet)
    assert len(second.getvalue()) == len(first.getvalue())


def test_y4m_tells_the_shape_of_pixels(make_clip, model: Model, tmp_path: Path):
    path = tmp_path / "film.y4m"
    with path.open("wb") as stream:
        stream_film(FilmFile(make_clip(shape=Fraction(16, 15))), stream, model, Y4M, quiet)
    with open_film(path) as film:
        assert film.info.tags.sample_aspect_ratio == Fraction(16, 15)


def test_a_pipe_that_ends_early(make_clip, model: Model, tmp_path: Path):
    stream = BytesIO()
    stream_film(FilmFile(make_clip(pts=range(3))), stream, model, Y4M, quiet)
    piped = PipedFilm(BytesIO(stream.getvalue()[:-9]))
    target = FilmTarget(tmp_path / "out.mkv")
    assert restore_film(piped, target, model, Wishes(preset="12", scale=1), quiet).num_frames == 2
    with pytest.raises(InputError, match="without a frame"):
        restore_film(PipedFilm(BytesIO(stream.getvalue()[:200])), target, model, Wishes(), quiet)
    assert not target.parts.exists()
    with pytest.raises(InputError, match="cannot read standard input"):
        restore_film(PipedFilm(BytesIO(b"YUV4MPEG2 W-3")), target, model, Wishes(), quiet)
    with pytest.raises(UsageError, match="standard input is no film"):
        PipedFilm(BytesIO(b"nonsense"))
