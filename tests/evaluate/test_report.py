import json
import math
from io import StringIO

import pytest
from rich.console import Console

from relume.evaluate.datasets import Dataset
from relume.evaluate.report import Report, Result


def result(model: str, dataset: str, psnr: float = 30.0) -> Result:
    scores = ((psnr, 0.8), (psnr + 2, 0.9))
    return Result(model, dataset, "f" * 64, ("a", "b"), {"matlab": scores, "rgb": scores}, 12.345)


@pytest.fixture
def report(tmp_path) -> Report:
    protocol = {"y_matrix": "BT.601 studio", "shave": "scale", "rounding": "uint8", "ssim": "matlab"}
    manifest = {
        "protocols": {"matlab": protocol, "rgb": protocol | {"y_matrix": None, "shave": 0}},
        "datasets": {"Set5": {"checked_protocols": ["matlab"]}, "mine": {"checked_protocols": []}},
        "timing": "wall time",
    }
    results = [
        result(model, dataset, psnr)
        for model, psnr in (("bicubic", 28.0), ("srgan-x4", math.inf))
        for dataset in ("Set5", "mine")
    ]
    return Report(manifest, tuple(results), dict.fromkeys(("Set5", "mine"), Dataset(tmp_path, 4, ())))


def test_rows_to_be_compared_stand_together(report):
    assert [(row.dataset, row.protocol, row.model) for row in report.rows] == [
        (dataset, protocol, model)
        for dataset in ("Set5", "mine")
        for protocol in ("matlab", "rgb")
        for model in ("bicubic", "srgan-x4")
    ]


def test_json_has_the_promised_shape(report):
    data = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert data["manifest"] == report.manifest
    assert data["rows"][0] == {
        "model": "bicubic",
        "dataset": "Set5",
        "protocol": "matlab",
        "num_images": 2,
        "psnr": 29.0,
        "ssim": 0.85,
        "ms_per_image": 12.345,
    }


def test_infinite_psnr_is_null_in_json_and_a_sign_for_people(report):
    assert json.loads(report.to_json())["rows"][1]["psnr"] is None
    assert "| srgan-x4 | Set5 | matlab | 2 | ∞ | 0.8500 | 12.3 |" in report.to_markdown()


def test_markdown_says_how_it_was_measured(report):
    assert report.to_markdown().splitlines()[-4:] == [
        "- matlab: Y of BT.601 studio as uint8, as many pixels as the scale shaved off each border, "
        "SSIM matlab",
        "- rgb: R, G and B as uint8, nothing shaved off each border, SSIM matlab",
        "- bicubic agrees with known scores on Set5 (matlab)",
        "- ms/image: wall time",
    ]


def test_table_on_screen(report):
    console = Console(width=120, record=True, file=StringIO())
    console.print(report.table())
    assert "│ bicubic  │ mine    │ rgb      │      2 │   29.00 │ 0.8500 │     12.3 │" in console.export_text()
