"""What a plan says is what happens; times are measured in docs/benchmarks.md and not here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relume.cli import run

RELUME = [sys.executable, "-m", "relume"]


def line_of(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([*RELUME, *arguments, "--json"], capture_output=True, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("options", [[], ["-s", "1.5", "-f", "tif", "--consistent"]], ids=" ".join)
def test_memory_and_disk_are_as_planned(
    options: list[str], tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC).save(name)
    command = ["a.png", "b.png", "-n", str(tiny_model), "-o", "out", *options]
    planned = line_of("plan", *command)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
    done = line_of("upscale", *command)
    disk = sum(path.stat().st_size for path in Path("out").glob("[!.]*"))
    assert planned["pictures"] == 2
    assert planned["disk_bytes"] == pytest.approx(disk, rel=0.25)
    assert planned["memory_bytes"] == pytest.approx(1e6 * done["peak_rss_mb"], rel=0.25)
    assert planned["seconds"] > 0


def test_a_plan_for_people(pictures: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    assert run(["plan", ".", "-o", "out", "-n", str(tiny_model)]) == 1  # one of several is broken
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["pictures", "time", "memory", "disk"]
    assert lines[0].startswith("pictures   3, ")
    assert err.startswith("relume: cannot read sub/broken.png")


def test_an_animation_is_planned_with_all_its_frames(
    pictures: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]
):
    frames = [Image.new("RGB", (40, 30), shade) for shade in ("teal", "olive", "navy")]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=100)
    assert run(["plan", "a.gif", "-n", str(tiny_model)]) == 0
    assert "1, 0.1 megapixels" in capfd.readouterr().out  # 3 frames of 160 × 120


@pytest.mark.parametrize("place", ["cli.plan.free_ram", "cli.plan.shutil.disk_usage"])
def test_what_does_not_suffice_is_told(
    place: str, pictures: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    class Nothing(int):
        free = 0

    monkeypatch.setattr(f"relume.{place}", lambda *_: Nothing())
    assert run(["plan", "a.png", "-n", str(tiny_model)]) == (71 if "ram" in place else 74)
    assert "there is too little" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["film.mp4"], ["-"], ["a.png", "-o", "-"], ["a.png", "-s", "0"], []])
def test_what_cannot_be_planned(arguments: list[str], pictures: Path, tiny_model: Path):
    assert run(["plan", *arguments, "-n", str(tiny_model)]) == 2
