from functools import partial

import pytest

from relume.degrade.resize import imresize
from relume.errors import InputError
from relume.evaluate import evaluate
from relume.evaluate.golden import GOLDEN, KNOWN_DATASETS, check_bicubic
from relume.evaluate.report import Result

SET5 = next(sha for sha, name in KNOWN_DATASETS.items() if name == "Set5")


def bicubic(psnr: float, ssim: float, fingerprint: str = SET5) -> Result:
    return Result(
        model="bicubic",
        dataset="my-folder",
        fingerprint=fingerprint,
        names=("a",),
        sizes=((48, 48),),
        scores={"matlab": [{"psnr": psnr, "ssim": ssim}]},
    )


def test_right_scores_pass():
    assert check_bicubic(bicubic(*GOLDEN["Set5", 4, "matlab"]), 4) == ["matlab"]


@pytest.mark.parametrize(("psnr", "ssim"), [(28.45, 0.811), (28.42, 0.815), (27.8, 0.79)])
def test_wrong_scores_are_refused(psnr: float, ssim: float):
    with pytest.raises(
        InputError, match=r"Set5 ×4, protocol matlab, is off; got .* allowed: 28\.42 ± 0\.02 dB"
    ):
        check_bicubic(bicubic(psnr, ssim), 4)


def test_unknown_data_and_scales_are_not_checked():
    assert check_bicubic(bicubic(1.0, 0.1, fingerprint="0" * 64), 4) == []
    assert check_bicubic(bicubic(1.0, 0.1), 8) == []


def test_nothing_is_reported_when_the_resizer_is_wrong(shared_data, monkeypatch):
    aliasing = partial(imresize, antialias=False)
    monkeypatch.setattr("relume.evaluate.datasets.imresize", aliasing)
    with pytest.raises(InputError, match="this evaluation measures wrongly"):
        evaluate([], [shared_data / "eval/Set5"])


@pytest.mark.parametrize(
    ("dataset", "scale", "expected"),
    [
        ("Set5", 2, {"matlab": (33.649, 0.9295)}),
        ("Set5", 3, {"matlab": (30.386, 0.8679)}),
        (
            "Set5",
            4,
            {
                "matlab": (28.419, 0.8102),
                "skimage7": (28.431, 0.8232),
                "daala": (28.419, 0.8202),
                "rgb": (26.703, 0.7734),
            },
        ),
        ("Set14", 2, {"matlab": (30.315, 0.8692)}),
        ("Set14", 3, {"matlab": (27.625, 0.7753)}),
        ("Set14", 4, {"matlab": (26.087, 0.7042), "skimage7": (26.092, 0.7217), "daala": (26.087, 0.7491)}),
        pytest.param("BSD100", 4, {"matlab": (25.958, 0.6674)}, marks=pytest.mark.slow),
    ],
)
def test_bicubic_reproduces_the_known_scores(shared_data, dataset, scale, expected):
    """Within the tolerance of the check, and to the third decimal as when it was written."""
    report = evaluate([], [shared_data / "eval" / dataset], tuple(expected), scale=scale)
    assert report.manifest["datasets"][dataset]["checked_protocols"] == list(expected)
    for row in report.rows:
        assert (row.model, row.dataset) == ("bicubic", dataset)
        assert (row.values["psnr"], row.values["ssim"]) == pytest.approx(expected[row.protocol], abs=1e-3)
