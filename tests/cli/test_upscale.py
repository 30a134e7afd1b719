import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from relume.cli import run


@pytest.fixture
def upscale(pictures: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    """Run `relume upscale --json` with a ×4 model; gives exit code, the lines by input, and stderr."""

    def call(*arguments: str):
        code = run(["upscale", *arguments, "-n", str(tiny_model), "--json"])
        out, err = capfd.readouterr()
        lines = [json.loads(line) for line in out.splitlines()]
        return code, {line.pop("input"): line for line in lines}, err

    return call


def test_one_picture(upscale):
    code, lines, err = upscale("b.jpg")
    assert (code, err) == (0, "")
    line = lines["b.jpg"]
    assert line.pop("seconds") > 0
    assert 20 < line.pop("peak_rss_mb") < 10_000
    assert line == {"output": "b-tiny-x4.png", "model": "tiny-x4", "scale": 4, "width": 36, "height": 28}
    with Image.open("b-tiny-x4.png") as picture:
        assert picture.size == (36, 28)


@pytest.mark.parametrize(
    ("options", "output", "size", "format"),
    [
        (["-s", "3.5"], "a-tiny-x3.5.png", (42, 28), "PNG"),
        (["--outscale", "2"], "a-tiny-x2.png", (24, 16), "PNG"),
        (["--width", "30"], "a-tiny-30w.png", (30, 20), "PNG"),
        (["--height", "4"], "a-tiny-4h.png", (6, 4), "PNG"),
        (["--width", "30", "--height", "9"], "a-tiny-30x9.png", (30, 9), "PNG"),
        (["-f", "jpeg"], "a-tiny-x4.jpg", (48, 32), "JPEG"),
        (["--ext", "auto"], "a-tiny-x4.png", (48, 32), "PNG"),
        (["--ext=webp", "--suffix", "_big"], "a_big.webp", (48, 32), "WEBP"),
        (["-t", "32", "--gpu-id", "-1"], "a-tiny-x4.png", (48, 32), "PNG"),
        (["-o", "new/deep/", "--suffix", ""], "new/deep/a.png", (48, 32), "PNG"),
        (["-o", "new/out.tif"], "new/out.tif", (48, 32), "TIFF"),
    ],
)
def test_options(upscale, options: list[str], output: str, size: tuple[int, int], format: str):
    code, lines, _ = upscale("a.png", *options)
    assert code == 0
    assert lines["a.png"]["output"] == output
    with Image.open(output) as picture:
        assert (picture.size, picture.format) == (size, format)


def test_inputs_as_other_programs_take_them(upscale):
    assert list(upscale("-i", "a.png", "b.jpg")[1]) == ["a.png", "b.jpg"]
    assert list(upscale("--input=a.png")[1]) == ["a.png"]
    assert list(upscale("a.png", "-s", "2", "b.jpg")[1]) == ["a.png", "b.jpg"]


def test_one_bad_picture_does_not_stop_the_others(upscale):
    code, lines, err = upscale("missing.png", "sub", "a.png", "-o", "out")
    assert code == 1
    assert [name for name, line in lines.items() if "error" in line] == ["missing.png", "sub/broken.png"]
    assert sorted(os.listdir("out")) == [".relume-journal.jsonl", "a-tiny-x4.png", "c-tiny-x4.png"]
    first, second, last = err.splitlines()
    assert first.startswith("relume: cannot read missing.png; got ")
    assert second.startswith("relume: cannot read sub/broken.png; got ")
    assert last == "relume: 2 of 4 files failed"


def test_a_folder_of_one_picture_is_not_done_again(upscale):
    Path("sub/broken.png").unlink()
    assert upscale("sub", "-o", "out")[0] == 0
    written = Path("out/c-tiny-x4.png").stat().st_mtime_ns
    assert upscale("sub", "-o", "out", "--resume")[0] == 0
    assert Path("out/c-tiny-x4.png").stat().st_mtime_ns == written


def test_an_input_that_gives_nothing_does_not_stop_the_others(upscale):
    code, lines, err = upscale("nothing*.png", "a.png")
    assert (code, list(lines)) == (1, ["a.png"])
    assert err == "relume: no file matches nothing*.png\n"


def test_a_single_bad_picture_has_its_own_exit_code(upscale):
    code, _, err = upscale("sub/broken.png")
    assert code == 65
    assert err.count("\n") == 1
    assert os.listdir("sub") == ["c.png", "broken.png"] or sorted(os.listdir("sub")) == [
        "broken.png",
        "c.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a.png", "-f", "xyz"], 2),
        (["a.png", "-o", "a.xyz"], 2),
        (["a.png", "-o", "x.jpg", "-f", "png"], 2),
        (["a.png", "b.jpg", "-o", "x.png"], 2),
        (["a.png", "-o", "a.png"], 2),
        (["a.png", "-s", "0"], 2),
        (["a.png", "-s", "nan"], 2),
        (["a.png", "-s", "2", "--width", "9"], 2),
        (["a.png", "-t", "-1"], 2),
        (["a.png", "--width", "20000", "-f", "webp"], 74),
        (["a.png", "-g", "quantum"], 2),
        (["nothing*.png"], 2),
        (["a.png", "-o", "b.jpg/x/"], 74),
    ],
)
def test_what_cannot_work_is_one_line_and_leaves_nothing(
    upscale, pictures: Path, arguments: list[str], code: int
):
    before = sorted(pictures.rglob("*"))
    got, _, err = upscale(*arguments)
    assert got == code
    assert err.startswith("relume: ")
    assert err.count("\n") == 1
    assert sorted(pictures.rglob("*")) == before


def test_a_bad_model_is_told_before_any_work(pictures: Path, capfd: pytest.CaptureFixture[str]):
    Path("bad.onnx").write_bytes(b"\0" * 99)
    assert run(["upscale", "a.png", "-n", "bad.onnx"]) == 65
    assert run(["upscale", "a.png", "-n", "missing.onnx"]) == 2
    assert run(["upscale", "a.png", "-n", "compact-smal"]) == 2
    assert capfd.readouterr().err.count("relume: ") == 3


def test_a_line_is_printed_for_each_result_unless_quiet_is_asked(
    pictures: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]
):
    assert run(["upscale", "a.png", "-n", str(tiny_model)]) == 0
    out, err = capfd.readouterr()
    assert (out.count("\n"), err) == (1, "")
    assert out.startswith("a.png → a-tiny-x4.png (48×32, ")
    assert run(["upscale", "a.png", "-n", str(tiny_model), "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


def test_earlier_results_are_not_enlarged_again_with_their_folder(upscale):
    Path("sub/broken.png").unlink()
    for suffix in ("png", "jpg", "webp", "tif", "avif"):
        upscale("sub/c.png", "-f", suffix, f"--suffix=-{suffix}", "--show-invented")
    assert len(list(Path("sub").glob("c-*"))) == 10
    code, lines, err = upscale("sub", "-o", "out")
    assert (code, list(lines)) == (0, ["sub/c.png"])
    assert err.startswith("relume: 10 left out, as relume made it: sub/c-avif-invented.png and others")
    assert list(upscale("sub/c-png.png", "sub/c.png", "-o", "out")[1]) == ["sub/c-png.png", "sub/c.png"]
    Path("sub/c.png").unlink()
    assert len(upscale("sub", "-o", "out")[1]) == 10  # there is nothing else: they are meant


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_progress_and_a_pipe_gets_only_json(pictures: Path, tiny_model: Path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "relume", "upscale", "a.png", "b.jpg", "-n", str(tiny_model), "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode(errors="replace")  # it may end within a character
    assert "b.jpg" in shown
    assert "100%" in shown
    assert [json.loads(line)["input"] for line in result.stdout.splitlines()] == ["a.png", "b.jpg"]


@pytest.mark.slow
def test_a_result_of_100_megapixels_takes_less_than_2_gib(pictures: Path, tiny_model: Path):
    Image.new("RGB", (2500, 2500), "olive").save("large.png")
    command = [sys.executable, "-m", "relume", "upscale", "large.png", "-n", str(tiny_model), "--json"]
    line = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (line["width"], line["height"]) == (10_000, 10_000)
    assert line["peak_rss_mb"] * 1e6 < 2 * 2**30
