from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.data.frames import DecodedFrames, find_frames
from relume.errors import InputError


def write_film(folder: Path, numbers, size=(20, 18), name="{}.png") -> Path:
    """Frames whose every pixel is their number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        Image.new("RGB", size, (number,) * 3).save(folder / name.format(number))
    return folder


def middles(folder: Path, reach=1) -> list[int]:
    frames = DecodedFrames.decode(find_frames([folder]), reach=reach, smallest_px=8)
    for index in range(len(frames.middles)):
        shown = [int(frame[0, 0, 0]) for frame in frames.around(index, reach)]
        assert np.array_equal(np.diff(shown), np.ones(2 * reach))
    return [int(frames.around(index, 0)[0][0, 0, 0]) for index in range(len(frames.middles))]


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    film = write_film(tmp_path / "film", range(8, 13), name="take2_{}.png")
    assert [number for _, number, _ in find_frames([film])] == [8, 9, 10, 11, 12]
    assert middles(film) == [9, 10, 11]
    assert middles(film, reach=2) == [10]


def test_runs_end_at_gaps_other_films_sizes_and_unreadable_frames(tmp_path):
    film = write_film(tmp_path / "film", [1, 2, 3, 5, 6, 7, 8])
    assert middles(film) == [2, 6, 7]
    (film / "6.png").write_bytes(b"")
    write_film(film, [9], size=(30, 30))
    write_film(film, [10], name="other{}.png")
    write_film(film / "inner", [11, 12, 13])
    assert middles(film) == [2, 12]


def test_middles_decide_the_fingerprint(tmp_path):
    whole = write_film(tmp_path / "whole", range(5))
    gap = write_film(tmp_path / "gap", [0, 1, 2, 4, 5])
    a, b = (
        DecodedFrames.decode(find_frames([film]), reach=1, smallest_px=8).fingerprint for film in (whole, gap)
    )
    assert a != b


def test_what_is_no_film_is_an_input_error(tmp_path):
    film = write_film(tmp_path / "film", [1, 2, 4, 5])
    with pytest.raises(InputError, match=r"no 3 consecutive frames of one size; got 4 frames"):
        middles(film)
    write_film(film, [2], name="0{}.png")
    with pytest.raises(InputError, match="two frames have the number 2"):
        find_frames([film])
    Image.new("RGB", (20, 18)).save(film / "poster.png")
    with pytest.raises(InputError, match=r"cannot tell the place of .*poster.png"):
        find_frames([film])
