import re
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from relume.errors import OutputError
from relume.evaluate import evaluate
from relume.evaluate.page import find_crops


def test_crops_are_where_the_pictures_differ_and_lie_apart():
    target = np.zeros((300, 400, 3), np.uint8)
    picture = target.copy()
    picture[210:220, 50:60] = 90
    picture[20:30, 300:310] = 200
    worst, second = find_crops(picture, target)
    for crop, spot in ((worst, (25, 305)), (second, (215, 55))):
        assert crop.top <= spot[0] < crop.top + crop.side
        assert crop.left <= spot[1] < crop.left + crop.side
    assert max(abs(worst.top - second.top), abs(worst.left - second.left)) >= 1.5 * worst.side


def test_a_small_picture_is_one_crop():
    picture = np.zeros((30, 40, 3), np.uint8)
    (crop,) = find_crops(picture, picture)
    assert crop.of(picture).shape == (30, 30, 3)


def test_page_is_complete_and_needs_nothing_from_elsewhere(tmp_path, draw):
    folder = draw("<b>&set/a 1.png", size=(240, 140)).parent
    draw("<b>&set/b.png", size=(40, 40))
    page = evaluate([], [folder], ["matlab", "rgb"], scale=2).write_html(tmp_path / "out/report")
    text = page.read_text(encoding="utf-8")
    used = {unquote(file) for file in re.findall(r"(?:src|href)=\"?([^\s\">#]+)", text)}
    assert used == {f"pictures/{file.name}" for file in (page.parent / "pictures").iterdir()}
    assert "://" not in text
    assert "<b>&set" not in text
    assert "&lt;b&gt;&amp;set" in text
    for file, size in (("0-0-1.png", (240, 140)), ("0-0-1-a.png", (80, 80))):
        with Image.open(page.parent / "pictures" / file) as picture:
            assert picture.size == size


def test_only_the_first_pictures_are_shown(tmp_path, draw):
    for name in "abc":
        draw(f"set/{name}.png")
    page = evaluate([], [tmp_path / "set"], scale=2, num_shown=2).write_html(tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "2 of 3 pictures" in text
    assert text.count("<h3>") == 2
    assert "<td>c</td>" in text


def test_folder_that_cannot_be_made(tmp_path, draw):
    report = evaluate([], [draw("set/a.png").parent], scale=2)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        report.write_html(tmp_path / "file")
