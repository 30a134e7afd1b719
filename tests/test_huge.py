"""Memory does not grow with the height of a picture: its rows come and go."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.image import read_image, read_picture, write_image
from relume.model import open_model

SMALL_PARTS = """
import relume.image.files, relume.workload
relume.image.files.LARGEST_WHOLE = 1 << 16
relume.workload.LARGEST_PART = 1 << 19
from relume.cli import run
"""
"""Limits of real pictures, divided by so much that a few megapixels are large."""


def peak_mb(arguments: list[str]) -> float:
    """The peak RSS of a command that restores one picture."""
    code = f"{SMALL_PARTS}raise SystemExit(run({['upscale', *arguments, '--json']}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)["peak_rss_mb"]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_picture_eight_times_as_high_takes_no_more_memory(suffix: str, tiny_model: Path, tmp_path: Path):
    peaks: list[float] = []
    for height in (400, 3200):  # of float32, 2 and 19 MB, and 38 and 307 MB in the results
        Image.linear_gradient("L").resize((500, height)).convert("RGB").save(tmp_path / f"a.{suffix}")
        peaks.append(peak_mb([str(tmp_path / f"a.{suffix}"), "-n", str(tiny_model), "-t", "128"]))
    assert peaks[1] - peaks[0] < 30


@pytest.mark.parametrize("options", [{}, {"wrap": True}, {"scale": 1.5}, {"show_invented": True}], ids=str)
def test_the_result_of_a_large_picture_is_that_of_a_small_one(
    options: dict[str, object], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    levels = np.random.default_rng(0).integers(0, 256, (150, 90, 4), np.uint8)
    Image.fromarray(levels).resize((90, 150)).save(tmp_path / "a.png")
    with open_model(str(tiny_model)) as model:
        whole = model.restore_picture(read_picture(tmp_path / "a.png"), **options)
        monkeypatch.setattr("relume.image.files.LARGEST_WHOLE", 1 << 12)
        monkeypatch.setattr("relume.workload.LARGEST_PART", 1 << 15)
        strips = model.restore_image(read_image(tmp_path / "a.png"), **options)
        write_image(strips, tmp_path / "b.png")
    found = read_picture(tmp_path / "b.png")
    assert found.alpha is not None
    assert whole.alpha is not None
    assert abs(found.pixels - whole.pixels)[found.alpha > 0].max() < 1 / 255
    assert abs(found.alpha - whole.alpha).max() < 1 / 255
    assert (tmp_path / "b-invented.png").exists() == ("show_invented" in options)
