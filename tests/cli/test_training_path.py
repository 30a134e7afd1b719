"""From pictures to a model that is used, by commands alone."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.cli import run


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures, two of them the same, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("photos").mkdir()
    for index, name in enumerate(("a.png", "b.png", "c.png")):
        noise = np.random.default_rng(index // 2).integers(0, 256, (144, 150, 3), np.uint8)
        Image.fromarray(noise).save(Path("photos", name))
    Path("photos", "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return Path("photos")


def test_check_names_what_is_wrong(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "photos", "--crop", "64"]) == 1
    shown = capsys.readouterr().out
    assert "3 of 4 pictures can be used: 0.1 megapixels, the smallest 150×144" in shown
    assert "not used: photos/broken.png: " in shown
    assert "comes more than once: photos/b.png: the same as photos/a.png" in shown
    assert Path("relume-check.png").exists()
    assert run(["check", "nowhere"]) == 65


@pytest.mark.slow
def test_train_export_eval_upscale(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["train", "compact-small-x4", "--data", "photos", "arch.size=tiny", "--smoke"]) == 0
    assert (
        "next: relume export runs/compact-small-x4-smoke -o compact-small-x4.onnx" in capsys.readouterr().out
    )
    assert run(["train", "compact-small-x4", "--data", "photos", "--smoke"]) == 2  # it is there already
    assert run(["export", "runs/compact-small-x4-smoke", "-o", "mine.onnx"]) == 0
    assert "mine.onnx: compact-small-x4, " in capsys.readouterr().out

    outputs = ["--json", "found.json", "--markdown", "found.md", "--report", "page"]
    Path("photos/broken.png").unlink()
    assert run(["eval", "mine.onnx", "--data", "photos", "--protocol", "matlab", "rgb", *outputs]) == 0
    rows = json.loads(Path("found.json").read_text(encoding="utf-8"))["rows"]
    assert {(row["model"], row["protocol"]) for row in rows} == {
        (model, protocol)
        for model in ("original", "bicubic", "compact-small-x4")
        for protocol in ("matlab", "rgb")
    }
    assert Path("found.md").read_text(encoding="utf-8").startswith("| model ")
    assert Path("page", "report.html").exists()
    assert run(["upscale", "photos/a.png", "-n", "mine.onnx"]) == 0
    assert Path("photos/a-mine-x4.png").exists()


@pytest.mark.slow
def test_prepare_train_export_deblur(photos: Path, capsys: pytest.CaptureFixture[str]):
    for kind in ("blur", "sharp"):
        folder = Path("GOPRO_Large/train/GOPR0372_07_00", kind)
        folder.mkdir(parents=True)
        for name in ("a.png", "c.png"):
            (folder / name).write_bytes((photos / name).read_bytes())
    assert run(["data", "prepare-gopro", "GOPRO_Large", "gopro"]) == 0
    assert capsys.readouterr().out == f"{Path('gopro/train')}: 2 pairs\n"
    without_vgg = ["perceptual=null", "loss=l1", "arch.width=4"]
    assert run(["train", "deblurgan-unet", "--data", "gopro/train", "--smoke", *without_vgg]) == 0
    assert run(["export", "runs/deblurgan-unet-smoke", "-o", "mine.onnx"]) == 0
    assert run(["deblur", "photos/a.png", "-n", "mine.onnx"]) == 0
    with Image.open("photos/a-mine-deblurred.png") as picture:
        assert picture.size == (150, 144)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "relume.train.loop", raising=False)
    assert run(["train", "compact-small-x4"]) == 2
    told = "relume: this command needs relume[train]; got no module torch; pip install 'relume[train]'\n"
    assert capsys.readouterr().err == told


def test_ctrl_c_says_what_is_kept_and_a_run_is_no_model(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    kept = Path("runs/compact-small-x4/checkpoints/step-00000002.safetensors")

    def train(*_: object, **__: object) -> Path:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("relume.train.loop.train", train)
    command = ["train", "compact-small-x4", "--data", str(photos), "--resume"]
    assert run(command) == 130
    assert capsys.readouterr().err.splitlines()[0] == f"{kept}: the same command with --resume goes on"
    assert run(command[:-1]) == 130  # of another run
    assert "goes on" not in capsys.readouterr().err
    assert run(["upscale", "photos/a.png", "-n", "runs/compact-small-x4"]) == 2
    assert "relume export runs/compact-small-x4 -o model.onnx makes one" in capsys.readouterr().err
