import numpy as np
import pytest
from PIL import Image

from relume.train.pictures import CAPTION_PX, CELL_PX, MOST_FRAMES, MOST_ROWS, animate, frame, sheet
from relume.train.validation import Sample

RED, GREEN = (np.full((40, 40, 3), colour, np.float32) for colour in ((1, 0, 0), (0, 1, 0)))


def sample(height=40, width=40, sr=GREEN):
    hq = np.resize(RED, (height, width, 3))
    return Sample("x", hq[::4, ::4], hq, np.resize(sr, (height, width, 3)), 31.25, 0.9)


def test_a_row_shows_input_bicubic_result_and_target():
    picture = sheet([sample()], 7)
    middles = [picture.getpixel((20 + i * (CAPTION_PX + 4), 28 + 20)) for i in range(4)]
    assert middles == [(255, 0, 0), (255, 0, 0), (0, 255, 0), (255, 0, 0)]


def test_a_sheet_is_no_larger_than_a_screen():
    picture = sheet([sample(1000, 900) for _ in range(9)], 7)
    assert picture.size == (4 * (CELL_PX + 4), MOST_ROWS * (CELL_PX + 32))


def test_a_frame_is_the_middle_of_the_result():
    sr = np.zeros((CELL_PX + 20, CELL_PX + 40, 3), np.float32)
    sr[10, 20] = 1
    picture = frame(Sample("x", sr, sr, sr, 30.0, 0.9), 3)
    assert picture.size == (CELL_PX, CELL_PX + 16)
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert picture.getpixel((1, 0)) == (0, 0, 0)


def test_values_beyond_the_range_are_clipped():
    picture = frame(sample(sr=GREEN * 3 - 1), 1)
    assert picture.getpixel((5, 5)) == (0, 255, 0)


@pytest.mark.parametrize("number", [1, 3, MOST_FRAMES + 25])
def test_an_animation_has_the_first_frame_and_the_last(tmp_path, number):
    paths = []
    for i in range(number):
        paths.append(tmp_path / f"step-{i:04d}.png")
        shade = 255 * i // max(1, number - 1)
        Image.new("RGB", (16, 16), (shade, shade, 255 - shade)).save(paths[-1])
    animate(paths, tmp_path / "progress.webp")
    with Image.open(tmp_path / "progress.webp") as animation:
        assert min(number, 3) <= animation.n_frames <= MOST_FRAMES  # frames that look alike become one
        assert animation.convert("RGB").getpixel((8, 8))[2] > 230
        animation.seek(animation.n_frames - 1)
        assert number == 1 or animation.convert("RGB").getpixel((8, 8))[0] > 230


def test_frames_of_an_earlier_size_are_left_out(tmp_path):
    for name, side in (("a", 16), ("b", 24), ("c", 24)):
        Image.new("RGB", (side, side), "red" if name != "c" else "blue").save(tmp_path / f"{name}.png")
    animate([tmp_path / f"{name}.png" for name in "abc"], tmp_path / "progress.webp")
    with Image.open(tmp_path / "progress.webp") as animation:
        assert (animation.n_frames, animation.size) == (2, (24, 24))
