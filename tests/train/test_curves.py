import math
from xml.etree import ElementTree

import pytest

from relume.train.curves import MOST_POINTS, Axis, draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def parsed(rows):
    return ElementTree.fromstring(draw_curves(rows))


def lines(picture):
    return [
        [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
        for line in picture.iter(f"{SVG}polyline")
    ]


def texts(picture):
    return [element.text for element in picture.iter(f"{SVG}text")]


def test_a_falling_loss_goes_down_and_to_the_right():
    (line,) = lines(parsed([{"step": s, "loss": 1 / s} for s in (1, 10, 100)]))
    xs, ys = zip(*line, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys)  # in pictures, down is larger
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.2)  # equal factors, equally far apart


def test_every_panel_is_drawn_for_which_there_is_something():
    row = {"loss/l1": 0.1, "d/real": 1.0, "d/fake": -1.0, "d/margin": 2.0, "grad_norm": 1.0}
    row |= {"colour_drift/r": 0.1, "images_per_s": 5.0, "data_wait": 0.0, "validation/psnr": 30.0}
    shown = texts(parsed([{"step": 1, **row}, {"step": 2, **row}]))
    assert set(row) <= set(shown)
    assert "colour drift (levels of 255)" in shown
    assert "loss of the discriminator" not in shown


def test_odd_rows_are_drawn_as_far_as_they_go():
    assert lines(parsed([])) == []
    rows = [{"step": 1, "loss": -0.5}, {"step": 2, "loss": None}, {"step": 3, "loss": 0.5}]
    assert len(lines(parsed(rows))[0]) == 2
    assert len(list(parsed(rows[:1]).iter(f"{SVG}circle"))) == 1
    assert "&lt;x&gt;" in draw_curves([{"step": 1, "loss/<x>": 1.0}])


def test_long_runs_stay_small():
    (line,) = lines(parsed([{"step": s, "images_per_s": 1.0 + s} for s in range(10 * MOST_POINTS + 7)]))
    assert MOST_POINTS / 2 < len(line) <= MOST_POINTS


def test_axes():
    assert Axis(0, 10, 100, 200).place(5) == 150
    assert Axis(1, 100, 100, 200, logarithmic=True).place(10) == pytest.approx(150)
    assert Axis(3, 3, 100, 200).place(3) == 150
    assert Axis(1, 16, 0, 1, logarithmic=True).ticks() == pytest.approx([1, 2, 4, 8, 16])
    assert math.isclose(Axis(0, 8, 0, 1).ticks()[3], 6)
