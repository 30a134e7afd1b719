"""Flicker of models on real, small clips."""

import json
import math
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from relume.errors import InputError, UsageError
from relume.evaluate.clips import evaluate_clips

RANDOM = np.random.default_rng(3)
WAVES = 128 + 60 * np.sin(np.arange(48) / 5)[None] * np.cos(np.arange(32) / 4)[:, None]
GREY = RANDOM.integers(0, 256, (8, 12)).repeat(4, axis=0).repeat(4, axis=1)

LEVEL = 255 / 219  # of 8 bits between black at 16 and white at 235, as films have them


def write(path: Path, frames: list[NDArray[np.float64]]) -> Path:
    """A lossless clip of grey frames."""
    height, width = frames[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "gray"
        for levels in frames:
            frame = av.VideoFrame.from_ndarray(levels.round().clip(0, 255).astype(np.uint8), "gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """What stands still but for one level up and down."""
    return write(tmp_path / "still.mkv", [WAVES.round() + number % 2 for number in range(6)])


def test_input_and_bicubic_stand_beside_the_model(still: Path, tiny_model: Path):
    seen: list[tuple[int, int, str]] = []
    report = evaluate_clips([str(tiny_model)], [still], 4, progress=lambda *step: seen.append(step))
    assert [(row.model, row.clip, row.num_pairs) for row in report.rows] == [
        ("input", "still.mkv", 3),
        ("bicubic", "still.mkv", 3),
        ("tiny-x4", "still.mkv", 3),
    ]
    own, bicubic, model = (row.values for row in report.rows)
    assert math.isclose(own["flicker"], LEVEL, rel_tol=0.01)
    assert own["flicker"] == own["flicker_details"]
    assert math.isclose(bicubic["flicker"], LEVEL, rel_tol=0.01)
    assert all(map(math.isfinite, model.values()))
    assert (seen[0], seen[-1]) == ((1, 12, "input on still.mkv"), (12, 12, "tiny-x4 on still.mkv"))


def test_what_differs_between_frames_alone_is_told_from_the_model(still: Path, tiny_model: Path, monkeypatch):
    """A restoration that makes every second frame brighter by four levels is found out."""
    restored = iter(range(100))

    def flickering(_model, scale, picture):
        large = picture.pixels.repeat(scale, axis=0).repeat(scale, axis=1)
        return large + np.float32(4 / 255 * (next(restored) % 2))

    monkeypatch.setattr("relume.evaluate.clips._restore", flickering)
    values = evaluate_clips([str(tiny_model)], [still]).rows[-1].values
    assert math.isclose(values["flicker"], LEVEL + 4, rel_tol=0.01)
    assert math.isclose(values["flicker_details"], LEVEL + 4, rel_tol=0.01)


def test_pairs_across_a_cut_are_left_out(tmp_path: Path):
    """One half of the picture is black in both scenes: without the cut it would count as standing still."""
    scenes = [np.zeros((32, 48)), np.zeros((32, 48))]
    scenes[0][:, 24:] = GREY[:, 24:]
    scenes[1][:, 24:] = 255 - GREY[:, 24:]
    clip = write(tmp_path / "cut.mkv", [scenes[0]] * 3 + [scenes[1]] * 2)
    report = evaluate_clips([], [clip], scale=2)
    assert [(row.num_pairs, row.values["flicker"]) for row in report.rows] == [(3, 0), (3, 0)]
    assert report.manifest["clips"]["cut.mkv"]["num_cuts"] == 1
    assert "the first 5 frames, scene cuts left out: 1" in report.to_markdown()


def test_where_nothing_stands_still_there_is_no_number(tmp_path: Path):
    clip = write(tmp_path / "moving.mkv", [WAVES + 40 * (number % 2) for number in range(3)])
    report = evaluate_clips([], [clip], scale=2)
    assert [row["flicker"] for row in json.loads(report.to_json())["rows"]] == [None, None]
    assert "| bicubic | moving.mkv | 0 | – | – |" in report.to_markdown()


def test_two_clips_and_scale_one(still: Path, tmp_path: Path, tiny_deblur_model: Path):
    other = write(tmp_path / "other.mkv", [WAVES] * 3)
    report = evaluate_clips([str(tiny_deblur_model)], [still, other], 3)
    assert [[cells[:3] for cells in section] for section in report.sections()] == [
        [("input", name, "2"), ("tiny-deblur", name, "2")] for name in ("still.mkv", "other.mkv")
    ]
    assert report.rows[1].values["flicker"] == 0
    model = report.rows[2].values
    assert math.isclose(model["flicker"], model["flicker_details"], rel_tol=1e-4)
    hashes = [clip["sha256"] for clip in report.manifest["clips"].values()]
    assert len(set(hashes)) == 2


def test_what_cannot_be_measured_is_refused_before_any_work(still: Path, tmp_path: Path):
    broken = tmp_path / "broken.mp4"
    broken.touch()
    with pytest.raises(InputError, match=r"broken\.mp4; got an empty file"):
        evaluate_clips([], [still, broken], progress=lambda *_: pytest.fail("too late"))
    with pytest.raises(UsageError, match="changes between frames; got 1; allowed: 2 or more"):
        evaluate_clips([], [still], 1)
