import re
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from relume.errors import OutputError
from relume.evaluate import evaluate
from relume.evaluate.page import default_zoom, find_crops


def test_crops_are_where_the_pictures_differ_and_lie_apart():
    target = np.zeros((300, 400, 3), np.uint8)
    picture = target.copy()
    picture[210:220, 50:60] = 90
    picture[20:30, 300:310] = 200
    worst, second = find_crops(picture, target, 75, 100)
    for crop, spot in ((worst, (25, 305)), (second, (215, 55))):
        assert (crop.height, crop.width) == (75, 100)
        assert crop.top <= spot[0] < crop.top + crop.height
        assert crop.left <= spot[1] < crop.left + crop.width
    assert abs(worst.top - second.top) >= 1.5 * 75 or abs(worst.left - second.left) >= 1.5 * 100


def test_a_small_picture_is_shown_whole():
    picture = np.zeros((30, 40, 3), np.uint8)
    assert default_zoom(picture) == 1
    (crop,) = find_crops(picture, picture, 30, 40)
    assert crop == (0, 0, 30, 40)


@pytest.mark.parametrize(("size", "zoom"), [((256, 256), 2), ((321, 481), 4), ((720, 1280), 8)])
def test_crops_are_large_enough_to_see_something(size, zoom):
    assert default_zoom(np.zeros((*size, 3), np.uint8)) == zoom


def test_page_is_complete_and_needs_nothing_from_elsewhere(tmp_path, draw):
    folder = draw("<b>&set/a 1.png", size=(240, 140)).parent
    draw("<b>&set/b.png", size=(40, 40))
    report = evaluate([], [folder], ["matlab", "rgb"], ["psnr", "niqe"], scale=2)
    page = report.write_html(tmp_path / "out/report")
    text = page.read_text(encoding="utf-8")
    used = {unquote(file) for file in re.findall(r"(?:src|href)=\"?([^\s\">#]+)", text)}
    assert used == {f"pictures/{file.name}" for file in (page.parent / "pictures").iterdir()}
    assert "://" not in text
    assert "<b>&set" not in text
    assert "&lt;b&gt;&amp;set" in text
    with Image.open(page.parent / "pictures" / "0-0-0.png") as picture:
        assert picture.size == (240, 140)


def test_every_model_has_a_tile_and_every_score_its_name(tmp_path, draw, tiny_model):
    folder = draw("set/a.png", size=(240, 140)).parent
    report = evaluate([str(tiny_model)], [folder], ["matlab", "rgb"], ["psnr", "niqe"])
    text = report.write_html(tmp_path / "report").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption><a [^>]*>([^<]+)</a>(.*?)</figcaption>", text)
    assert [name for name, _ in captions] == ["bicubic", "tiny-x4", "original"]
    for name, scores in captions:
        titles = [score.rpartition(" ")[0] for score in re.findall("<span>([^<]+)</span>", scores)]
        assert titles == ["NIQE"] if name == "original" else ["PSNR dB, matlab", "PSNR dB, rgb", "NIQE"]


def test_the_best_is_marked_and_targets_take_no_part(tmp_path, draw):
    folder = draw("set/a.png", size=(240, 140)).parent
    report = evaluate([], [folder], measures=["niqe"], scale=2)
    text = report.write_html(tmp_path / "report").read_text(encoding="utf-8")
    original, bicubic = re.findall(r"<tr[^>]*>(<td.*?)</tr>", text)[:2]
    assert "class=best" not in original
    assert "class=best" in bicubic


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
