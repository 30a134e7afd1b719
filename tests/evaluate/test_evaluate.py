import math

import numpy as np
import pytest

from relume.errors import InputError, UsageError
from relume.evaluate import evaluate


def test_bicubic_is_always_measured(draw):
    folder = draw("mine/a.png").parent
    draw("mine/b.png", seed=1, mode="L")
    seen: list[tuple[int, int, str]] = []
    report = evaluate([], [folder], ["matlab", "rgb"], progress=lambda *step: seen.append(step))
    assert [(row.model, row.dataset, row.protocol, row.num_images) for row in report.rows] == [
        ("bicubic", "mine", "matlab", 2),
        ("bicubic", "mine", "rgb", 2),
    ]
    assert all(10 < row.psnr < 60 and 0 < row.ssim < 1 and row.ms_per_image > 0 for row in report.rows)
    assert seen == [(1, 2, "bicubic on mine"), (2, 2, "bicubic on mine")]


def test_models_go_through_the_users_engine(tiny_model, draw):
    folder = draw("mine/a.png").parent
    report = evaluate([str(tiny_model)], [folder])
    bicubic, model = report.rows
    assert bicubic.model == "bicubic"
    assert model.psnr != bicubic.psnr
    assert report.manifest["models"][model.model]["device"] == "cpu"
    assert [result.pictures[0].dtype for result in report.results] == [np.uint8, np.uint8]


def test_manifest_says_how_it_was_measured(draw):
    manifest = evaluate([], [draw("mine/a.png").parent], ["skimage7"], scale=3).manifest
    assert manifest["scale"] == 3
    assert manifest["protocols"]["skimage7"] == {
        "name": "skimage7",
        "y_matrix": "BT.601 studio",
        "shave": 4,
        "rounding": "float",
        "ssim": "skimage7",
        "resizer": "MATLAB imresize: bicubic a=-0.5, antialiased, symmetric edges, then rounded to uint8",
    }
    assert manifest["datasets"]["mine"]["num_images"] == 1
    assert len(manifest["datasets"]["mine"]["sha256"]) == 64
    assert {"relume", "threads", "timing"} <= manifest.keys()


def test_degraded_pictures_are_the_row_to_beat_at_scale_one(tmp_path, draw):
    draw("blur/A/a.png", seed=1), draw("blur/B/a.png", seed=2)
    draw("same/A/a.png", seed=1), draw("same/B/a.png", seed=1)
    report = evaluate([], [tmp_path / "blur", tmp_path / "same"], scale=1)
    assert report.manifest["datasets"]["blur"]["paired"]
    blur, same = report.rows
    assert (blur.model, same.model) == ("input", "input")
    assert blur.psnr < 30
    assert same.psnr == math.inf


def test_folders_of_one_name_are_told_apart(tmp_path, draw):
    draw("one/val/a.png"), draw("two/val/a.png")
    rows = evaluate([], [tmp_path / "one/val", tmp_path / "two/val"]).rows
    assert [row.dataset for row in rows] == [str(tmp_path / "one/val"), str(tmp_path / "two/val")]


def test_small_pictures_are_named(tmp_path, draw):
    draw("mine/tiny.png", size=(16, 40))
    with pytest.raises(
        InputError, match="tiny is too small to be scored; got 16×40; allowed: at least 19×19"
    ):
        evaluate([], [tmp_path / "mine"])


def test_unknown_names(draw):
    folder = draw("mine/a.png").parent
    with pytest.raises(UsageError, match="unknown protocol"):
        evaluate([], [folder], ["psnr"])
    with pytest.raises(UsageError):
        evaluate(["no-such-model-x4"], [folder])
