import json
import math
from io import StringIO

import pytest
from rich.console import Console

from relume.evaluate.columns import PSNR, SSIM, Column
from relume.evaluate.datasets import Dataset
from relume.evaluate.report import Report, Result

NIQE = Column(key="niqe", title="NIQE", better="lower", digits=2, note="no target needed")
DRIFT = [
    Column(key=f"drift_{c}", title=f"drift {c}", better="nearer zero", digits=2, note="mean change")
    for c in "rg"
]


def result(model: str, dataset: str, psnr: float = 30.0) -> Result:
    scores = [{"psnr": psnr, "ssim": 0.8}, {"psnr": psnr + 2, "ssim": 0.9}]
    values = [{"niqe": math.nan, "drift_r": -0.001, "drift_g": 0.5}]
    values += [{"niqe": 6.0, "drift_r": 0.0, "drift_g": 0.7}]
    if model == "original":
        values, scores = [{"niqe": 3.0}, {"niqe": 4.0}], []
    return Result(
        model=model,
        dataset=dataset,
        fingerprint="f" * 64,
        names=("a", "b"),
        sizes=((64, 48), (40, 300)),
        scores={"matlab": scores, "rgb": scores} if scores else {},
        values=values,
        ms_per_image=12.345 if scores else None,
    )


@pytest.fixture
def report(tmp_path) -> Report:
    protocol = {"y_matrix": "BT.601 studio", "shave": "scale", "rounding": "uint8", "ssim": "matlab"}
    data = {"checked_protocols": [], "paired": False, "reduced": False, "sizes": [[40, 300], [64, 48]]}
    manifest = {
        "baseline": "bicubic",
        "protocols": {"matlab": protocol, "rgb": protocol | {"y_matrix": None, "shave": 0}},
        "datasets": {"Set5": data | {"checked_protocols": ["matlab"]}, "mine": data | {"paired": True}},
        "timing": "wall time",
    }
    results = [
        result(model, dataset, psnr)
        for model, psnr in (("original", 0), ("bicubic", 28.0), ("srgan-x4", math.inf))
        for dataset in ("Set5", "mine")
    ]
    sets = dict.fromkeys(("Set5", "mine"), Dataset(tmp_path, 4, ()))
    return Report(manifest, (PSNR, SSIM, NIQE, *DRIFT), tuple(results), sets)


def test_rows_to_be_compared_stand_together(report):
    assert [(row.dataset, row.protocol, row.model) for row in report.rows] == [
        (dataset, protocol, model)
        for dataset in ("Set5", "mine")
        for protocol in ("matlab", "rgb")
        for model in ("original", "bicubic", "srgan-x4")
    ]


def test_json_has_the_promised_shape(report):
    data = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert data["manifest"] == report.manifest
    assert data["rows"][1] == {
        "model": "bicubic",
        "dataset": "Set5",
        "protocol": "matlab",
        "num_images": 2,
        "psnr": 29.0,
        "ssim": 0.85,
        "niqe": 6.0,
        "drift_r": -0.0005,
        "drift_g": 0.6,
        "ms_per_image": 12.345,
    }
    original = data["rows"][0]
    assert (original["model"], original["niqe"], original["psnr"]) == ("original", 3.5, None)
    assert "drift_r" not in original


def test_infinite_psnr_is_null_in_json_and_a_sign_for_people(report):
    assert json.loads(report.to_json())["rows"][2]["psnr"] is None
    line = "| srgan-x4 | Set5 | matlab | 2 | ∞ | 0.8500 | 6.00 | +0.00 | +0.60 | 12.3 |"
    assert line in report.to_markdown()


def test_headings_say_which_way_is_better(report):
    assert report.headings[4:-1] == ("PSNR dB ↑", "SSIM ↑", "NIQE ↓", "drift r →0", "drift g →0")


def test_what_was_not_measured_is_a_dash(report):
    assert "| original | Set5 | matlab | 2 | – | – | 3.50 | – | – | – |" in report.to_markdown()


def test_markdown_says_how_it_was_measured(report):
    assert report.to_markdown().splitlines()[-8:] == [
        "- matlab: Y of BT.601 studio as uint8, as many pixels as the scale shaved off each border, "
        "SSIM matlab",
        "- rgb: R, G and B as uint8, nothing shaved off each border, SSIM matlab",
        "- NIQE: no target needed",
        "- drift r, drift g: mean change",
        "- Set5: targets 64×48 to 40×300, inputs made of them by MATLAB's bicubic",
        "- mine: given pairs, targets 64×48 to 40×300",
        "- bicubic agrees with known scores on Set5 (matlab)",
        "- ms/image: wall time",
    ]


def test_table_on_screen(report):
    console = Console(width=160, record=True, file=StringIO())
    console.print(report.table())
    shown = console.export_text()
    assert "│ bicubic  │ mine    │ rgb      │      2 │     29.00 │ 0.8500 │   6.00 │" in shown


@pytest.mark.parametrize(
    ("column", "better", "worse"), [(PSNR, 30, 29), (PSNR, math.inf, 60), (NIQE, 3, 4), (DRIFT[0], 0.1, -0.2)]
)
def test_direction(column: Column, better: float, worse: float):
    assert column.badness(better) < column.badness(worse)
    assert math.isnan(column.badness(None))
