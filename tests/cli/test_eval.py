"""``relume eval`` and ``relume data fit-niqe`` as commands."""

import json
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from relume.cli import run


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("set", "pairs/A", "pairs/B"):
        Path(folder).mkdir(parents=True)
        small = np.random.default_rng(len(folder)).integers(0, 256, (12, 20, 3)).astype(np.uint8)
        Image.fromarray(small).resize((200, 120)).save(Path(folder, "a.png"))
    return Path("set")


@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_results_that_could_not_be_written_end_it_at_the_start(
    pictures: Path, tiny_model: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr("relume.evaluate.evaluate", lambda *_, **__: pytest.fail("too late"))
    Path("file").touch()
    for target in ("file/found", "pairs"):
        assert run(["eval", str(tiny_model), "--data", "set", option, target]) == 74
        assert capsys.readouterr().err.startswith("relume: cannot ")
    assert run(["eval", str(tiny_model), "--data", "set", "--report", "file/page"]) == 74
    assert sorted(p.name for p in Path().iterdir()) == ["file", "pairs", "set"]


def test_a_report_has_all_cheap_measures(pictures: Path, tiny_model: Path, capsys):
    arguments = ["--report", "page", "--json", "found.json", "--markdown", "found.md"]
    assert run(["eval", str(tiny_model), "--data", "set", *arguments]) == 0
    rows = json.loads(Path("found.json").read_text(encoding="utf-8"))["rows"]
    assert [row["model"] for row in rows] == ["original", "bicubic", "tiny-x4"]
    assert {"psnr", "ssim", "niqe", "consistency", "drift_r", "drift_g", "drift_b"} <= rows[2].keys()
    assert "NIQE ↓" in Path("found.md").read_text(encoding="utf-8")
    assert Path("page/report.html").exists()
    assert "page/report.html" in capsys.readouterr().out


def test_pairs_at_scale_one_are_scored_in_rgb_beside_doing_nothing(pictures: Path, tiny_model: Path, capsys):
    command = ["eval", str(tiny_model), "--data", "pairs", "-s", "1", "--size", "100x60", "--json", "a.json"]
    assert run(command) == 0
    found = json.loads(Path("a.json").read_text(encoding="utf-8"))
    rows = [(row["model"], row["protocol"]) for row in found["rows"]]
    assert rows == [("input", "rgb"), ("tiny-x4", "rgb")]
    assert found["manifest"]["datasets"]["pairs"]["sizes"] == [[100, 60]]
    assert run(["eval", "--data", "pairs", "--size", "huge", "-s", "1"]) == 2
    assert (
        "wrong value for --size; got huge; allowed: width and height such as 640x360"
        in capsys.readouterr().err
    )
    Path("pairs/A/orphan.png").write_bytes(Path("pairs/A/a.png").read_bytes())
    assert run(command) == 65
    assert "1 pictures of pairs/A and pairs/B have no partner; got A/orphan.png" in capsys.readouterr().err


def test_unknown_measures_and_bad_parameters(pictures: Path, capsys):
    assert run(["eval", "--data", "set", "--measures", "nique"]) == 2
    assert "unknown measure; got nique; allowed: psnr, ssim, niqe" in capsys.readouterr().err
    assert run(["eval", "--data", "set", "--measures", "niqe", "--niqe", "set/a.png"]) == 65
    assert "holds no parameters of NIQE" in capsys.readouterr().err


def test_parameters_are_fitted_and_used(
    pictures: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr("relume.evaluate.niqe.FEWEST_PATCHES", 40)
    Path("photos").mkdir()
    for seed in range(5):
        pixels = np.random.default_rng(seed).integers(0, 256, (288, 288, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(f"photos/{seed}.png")
    assert run(["data", "fit-niqe", "photos", "-o", "mine.npz", "--licence", "mine: CC0"]) == 0
    assert "mine.npz: 45 sharp patches of 5 pictures" in capsys.readouterr().out
    command = ["eval", str(tiny_model), "--data", "set", "--measures", "niqe", "--niqe", "mine.npz"]
    assert run(command) == 0
    assert "from 45 sharp patches of 5" in " ".join(capsys.readouterr().out.split())
    assert run(["data", "fit-niqe", "photos", "-o", "photos/0.png/mine.npz"]) == 74
    Path("photos/broken.png").touch()
    assert run(["data", "fit-niqe", "photos", "-o", "mine.npz"]) == 1
    assert "not used: photos/broken.png" in capsys.readouterr().out


@pytest.fixture
def clip(pictures: Path) -> Path:
    """A clip of 5 frames in the folder clips."""
    Path("clips").mkdir()
    waves = (np.sin(np.arange(24) / 5) * 50 + 128) * np.ones((16, 1))
    with av.open("clips/a.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 24, 16, "gray"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray((waves + number % 3).astype(np.uint8), "gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Path("clips/a.mkv")


def test_flicker_of_clips(clip: Path, tiny_model: Path, capsys):
    command = [
        "eval",
        str(tiny_model),
        "--data",
        "clips",
        str(clip),
        "--measures",
        "flicker",
        "--frames",
        "4",
    ]
    assert run([*command, "--json", "found.json", "--markdown", "found.md"]) == 0
    found = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert [(row["model"], row["clip"], row["num_pairs"]) for row in found["rows"]] == [
        (model, "a.mkv", 3) for model in ("input", "bicubic", "tiny-x4")
    ]
    assert found["manifest"]["columns"]["flicker"]["better"] == "lower"
    assert "| tiny-x4 | a.mkv | 3 |" in Path("found.md").read_text(encoding="utf-8")
    assert "the first 4 frames" in capsys.readouterr().out


def test_clips_and_pictures_are_told_apart(clip: Path, tiny_model: Path, capsys):
    command = ["eval", str(tiny_model), "--data"]
    for data, options, code, message in (
        (str(clip), ["--measures", "flicker", "--report", "page"], 2, "--report is for pictures"),
        ("set", ["--frames", "3"], 2, "--frames is for clips"),
        ("set", ["--measures", "flicker"], 2, "no pictures in the folder set"),
        ("no.mp4", ["--measures", "flicker"], 65, "cannot read no.mp4; got no such file"),
        ("set/a.png", ["--measures", "flicker"], 65, "cannot read set/a.png; got a picture"),
        (
            str(clip),
            ["--measures", "psnr", "flicker"],
            2,
            "flicker is a measure of clips, and is asked for alone",
        ),
        (str(clip), [], 65, "or clips for --measures flicker"),
    ):
        assert run([*command, data, *options]) == code, message
        assert message in capsys.readouterr().err
    assert not Path("page").exists()


def test_flicker_needs_the_extra_video(clip: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setitem(sys.modules, "av", None)
    assert run(["eval", str(tiny_model), "--data", str(clip), "--measures", "flicker"]) == 2
    assert "pip install 'relume[video]'" in capsys.readouterr().err
