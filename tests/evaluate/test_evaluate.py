import math

import numpy as np
import pytest

from relume.errors import InputError, UsageError
from relume.evaluate import common_scale, evaluate, shipped_models
from relume.evaluate.measures import cheap_measures
from relume.metrics.niqe import SHIPPED, NaturalStatistics


def test_bicubic_is_always_measured(draw):
    folder = draw("mine/a.png").parent
    draw("mine/b.png", seed=1, mode="L")
    seen: list[tuple[int, int, str]] = []
    report = evaluate([], [folder], ["matlab", "rgb"], progress=lambda *step: seen.append(step))
    assert [(row.model, row.dataset, row.protocol, row.num_images) for row in report.rows] == [
        ("bicubic", "mine", "matlab", 2),
        ("bicubic", "mine", "rgb", 2),
    ]
    assert all(10 < row.values["psnr"] < 60 and 0 < row.values["ssim"] < 1 for row in report.rows)
    assert all(row.ms_per_image > 0 for row in report.rows)
    assert seen == [(1, 2, "bicubic on mine"), (2, 2, "bicubic on mine")]


def test_models_go_through_the_users_engine(tiny_model, draw):
    folder = draw("mine/a.png").parent
    report = evaluate([str(tiny_model)], [folder])
    bicubic, model = report.rows
    assert bicubic.model == "bicubic"
    assert model.values["psnr"] != bicubic.values["psnr"]
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
    assert (blur.protocol, same.protocol) == ("rgb", "rgb")
    assert blur.values["psnr"] < 30
    assert same.values["psnr"] == math.inf


def test_folders_of_one_name_are_told_apart(tmp_path, draw):
    draw("one/val/a.png"), draw("two/val/a.png")
    rows = evaluate([], [tmp_path / "one/val", tmp_path / "two/val"]).rows
    assert [row.dataset for row in rows] == [str(tmp_path / "one/val"), str(tmp_path / "two/val")]


def test_models_of_one_name_are_told_apart_as_they_were_given(tiny_model, tmp_path, draw):
    other = tmp_path / "other.onnx"
    other.write_bytes(tiny_model.read_bytes())
    models = [str(tiny_model), str(other), str(tiny_model)]
    rows = evaluate(models, [draw("mine/a.png").parent]).rows
    assert [row.model for row in rows] == ["bicubic", str(tiny_model), str(other)]


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
    with pytest.raises(UsageError, match="unknown measure; got brisque; allowed: psnr, ssim, niqe"):
        evaluate([], [folder], measures=["brisque"])
    with pytest.raises(UsageError):
        evaluate(["no-such-model-x4"], [folder])


def test_measures_beside_psnr_and_ssim(draw):
    folder = draw("mine/a.png", size=(200, 101)).parent
    draw("mine/small.png", seed=1)
    original, bicubic = evaluate([], [folder], measures=["drift", "niqe", "consistency"]).rows
    assert original.values.keys() == {"niqe"}
    assert original.ms_per_image is None
    drifts = ["drift_r", "drift_g", "drift_b"]
    assert list(bicubic.values) == ["psnr", "ssim", "niqe", "consistency", *drifts]
    assert 0 < original.values["niqe"] < math.inf  # of the picture that is large enough
    assert bicubic.values["consistency"] > bicubic.values["psnr"]
    assert all(abs(bicubic.values[key]) < 1 for key in drifts)


def test_consistency_says_nothing_of_deblurring(tmp_path, draw):
    draw("blur/A/a.png", seed=1), draw("blur/B/a.png", seed=2)
    with pytest.raises(UsageError, match=r"consistency compares .* made small; got scale 1"):
        evaluate([], [tmp_path / "blur"], scale=1, measures=["consistency"])
    report = evaluate([], [tmp_path / "blur"], scale=1, measures=cheap_measures(1))
    assert [column.key for column in report.columns if column.key.startswith("drift")]


def test_parameters_of_niqe_are_named_and_can_be_others(tmp_path, draw):
    folder = draw("mine/a.png", size=(200, 200)).parent
    shipped = NaturalStatistics.load()
    other = NaturalStatistics(shipped.mean + 1, shipped.covariance, {"num_pictures": 7, "num_patches": 400})
    other.save(tmp_path / "other.npz")
    reports = [
        evaluate([], [folder], measures=["niqe"], niqe_parameters=path)
        for path in (SHIPPED, tmp_path / "other.npz")
    ]
    assert reports[0].rows[0].values != reports[1].rows[0].values
    for report, statistics in zip(reports, (shipped, other), strict=True):
        assert any(f"parameters {statistics.digest[:8]} from " in note for note in report.notes())


def test_scale_is_the_models_or_what_is_asked_for(tiny_model):
    assert common_scale([], None) == 4
    assert common_scale([str(tiny_model)], None) == 4
    assert common_scale([str(tiny_model)], 3) == 3
    with pytest.raises(UsageError, match="cannot measure at this scale; got 0"):
        common_scale([], 0)


def test_shipped_models_of_a_scale():
    assert "compact-small-x4" in shipped_models(4)
    with pytest.raises(UsageError, match="no model that comes with relume has this scale; got 7"):
        shipped_models(7)


def test_reduced_pairs_are_stated(tmp_path, draw):
    draw("blur/A/a.png", size=(80, 60)), draw("blur/B/a.png", size=(80, 60), seed=1)
    report = evaluate([], [tmp_path / "blur"], scale=1, size=(40, 30))
    reduced = "both reduced from their files by MATLAB's antialiased bicubic"
    assert f"blur: given pairs, targets 40×30, {reduced}" in report.notes()
