"""Films on the command line, killed and out of space as well."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from relume.cli import run

TERMINAL = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Noise that moves, 40 frames, in the current folder."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(1).integers(0, 255, (40, 32, 48), np.uint8)
    with av.open("film.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "gray"
        for image in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "gray")))
        container.mux(stream.encode(None))
    return tmp_path / "film.mkv"


@pytest.fixture
def options(tiny_model: Path) -> list[str]:
    return ["-n", str(tiny_model), "--codec", "ffv1", "--json"]


def test_upscale_and_verify(film: Path, options: list[str], capfd: pytest.CaptureFixture[str]):
    assert run(["upscale", "film.mkv", *options, "--start", "0.2", "--end", "0:01"]) == 0
    line = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (line["output"], line["num_frames"], line["width"]) == ("film-tiny-x4.mkv", 20, 192)
    assert run(["verify", "film.mkv", "film-tiny-x4.mkv", "--start", "0.2", "--end", "1", "--json"]) in {0, 1}
    checks = {check["name"]: check for check in map(json.loads, capfd.readouterr().out.splitlines())}
    assert checks["frames"] == {"name": "frames", "kept": True, "found": "20"}
    assert checks["times"]["kept"]
    assert run(["verify", "film.mkv", "film-tiny-x4.mkv"]) == 1
    told = "BROKEN  frames             40 became 20; was it an excerpt? give --start and --end as then"
    assert told in capfd.readouterr().out


def test_a_line_for_a_film_unless_quiet(film: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    short = ["upscale", "film.mkv", "-n", str(tiny_model), "--codec", "ffv1", "--end", "0.1"]
    assert run([*short, "-o", "a.mkv"]) == 0
    assert capfd.readouterr().out.startswith("film.mkv → a.mkv: ")
    assert run([*short, "-o", "b.mkv", "--quiet"]) == 0
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_in_a_terminal_the_line_for_a_film_comes_after_the_bar(film: Path, tiny_model: Path):
    ours, theirs = pty.openpty()
    short = ["film.mkv", "-n", str(tiny_model), "--codec", "ffv1", "-o", "out.mkv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "relume", "upscale", *short], stdout=theirs, stderr=theirs, env=TERMINAL
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the terminal's end
        while part := os.read(ours, 100_000):
            shown += part
    os.close(ours)
    assert process.wait() == 0
    assert b"100%" in shown
    assert shown.decode().rpartition("\x1b[2K")[2].startswith("film.mkv → out.mkv: 192×128, 40 frames")


def test_pictures_named_as_films_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for name, format in (("film.mp4", "PNG"), ("film.mov", "JPEG")):
        Image.new("RGB", (32, 32)).save(tmp_path / name, format, exif=exif)
        assert run(["upscale", str(tmp_path / name)]) == 65
        assert "got a picture" in capfd.readouterr().err


def test_what_is_done_can_be_left_out(film: Path, options: list[str], capfd: pytest.CaptureFixture[str]):
    Path("b.mkv").write_bytes(film.read_bytes())
    films = ["upscale", "film.mkv", "b.mkv", *options, "--end", "0.1"]

    def skipped(*more: str) -> list[str | None]:
        capfd.readouterr()
        assert run([*films, *more]) == 0
        lines = map(json.loads, capfd.readouterr().out.splitlines())
        return [line.get("skipped") for line in lines if "output" in line]

    assert skipped() == [None, None]
    assert skipped("--resume") == ["done by an earlier run"] * 2
    film.touch()
    assert skipped("--resume") == ["done by an earlier run", None]
    assert skipped("--skip-existing", "--report", "report.json") == ["the result is there"] * 2
    report = json.loads(Path("report.json").read_text())
    assert (len(report["skipped"]), report["finished"]) == (2, True)


def test_preview(film: Path, options: list[str], capfd: pytest.CaptureFixture[str]):
    assert run(["upscale", "film.mkv", *options, "--preview", "2"]) == 0
    line = json.loads(capfd.readouterr().out)
    assert line["pictures"] == ["film-tiny-x4-preview-1.png", "film-tiny-x4-preview-2.png"]
    assert line["num_frames"] == 40
    assert line["seconds_for_all"] > 0
    assert sorted(path.name for path in film.parent.iterdir()) == sorted(["film.mkv", *line["pictures"]])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["film.mkv", "a.png"], "films and pictures are mixed"),
        (["a.png", "--crf", "3"], "--crf is for films"),
        (["film.mkv", "--fps", "25"], "--fps is for pictures"),
        ([".", "--fps", "0"], "--fps is no rate"),
        (["film.mkv", "-o", "%d.png", "--crf", "3"], "--crf is for films in a container"),
        (["film.mkv", "-o", "-"], "--json and the result both need standard output"),
        (["film.mkv", "film.mkv", "-o", "%d.png"], "%d.png takes a single film"),
        (["film.mkv", "-o", "%d.png", "-f", "jpg"], "-o %d.png and -f jpg disagree"),
        (["film.mkv", "-f", "mp4"], "-f is for pictures; got mp4; choose a container by -o NAME.mp4"),
        (["film.mkv", "-f", "gif"], "films do not become GIFs; allowed: PNG, JPEG, "),
        (["film.mkv", "--start", "soon"], "--start is no time"),
        (["film.mkv", "--start", "2", "--end", "1"], "--end is not after --start"),
        (["film.mkv", "--preview", "0"], "wrong value for --preview"),
        (["film.mkv", "-o", "film.mkv"], "the result would replace film.mkv"),
    ],
)
def test_refusals(film: Path, options: list[str], arguments: list[str], words: str, capfd):
    options = [option for option in options if "ffv1" not in option and option != "--codec"]
    assert run(["upscale", *arguments, *options]) == 2
    assert words in capfd.readouterr().err


def test_no_preview_on_standard_output(film: Path, capfd: pytest.CaptureFixture[str]):
    assert run(["upscale", "film.mkv", "-o", "-", "--preview", "3"]) == 2
    assert "--preview writes pictures" in capfd.readouterr().err


def test_pictures_and_films(film: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    model = ["-n", str(tiny_model)]
    assert run(["upscale", "film.mkv", *model, "-f", "png", "--end", "0.2"]) == 0
    assert sorted(path.name for path in Path("film-tiny-x4").iterdir()) == [
        f"{n:06}.png" for n in range(1, 6)
    ]
    assert run(["upscale", "film-tiny-x4/%06d.png", *model, "--fps", "5", "-s", "1", "--json"]) == 0
    line = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (line["output"], line["num_frames"]) == ("film-tiny-x4-tiny-x1.mkv", 5)
    assert run(["upscale", "film-tiny-x4", *model, "--fps", "5", "-s", "1", "-o", "small/%d.jpg"]) == 0
    assert len(list(Path("small").iterdir())) == 5


def test_more_frames_a_second_than_av1_takes(film: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    Path("frames").mkdir()
    Image.new("RGB", (64, 64)).save("frames/1.png")
    fast = ["upscale", "frames", "-n", str(tiny_model), "--fps", "240.5"]
    assert run(fast) == 2
    told = "av1 cannot hold so many frames a second; got 240.5; allowed: up to 240; choose --codec x264, "
    assert told in capfd.readouterr().err
    assert sorted(path.name for path in film.parent.iterdir()) == ["film.mkv", "frames"]
    assert run([*fast, "--codec", "ffv1"]) == 0


def test_pipes(film: Path, tiny_model: Path):
    """Y4M on standard input is a film, and there a film comes out."""
    relume = [sys.executable, "-m", "relume", "upscale", "-n", str(tiny_model)]
    piped = subprocess.run([*relume, "film.mkv", "-o", "-", "--end", "0.2"], capture_output=True, check=True)
    assert piped.stdout.startswith(b"YUV4MPEG2 W192 H128 F25:1 ")
    again = subprocess.run([*relume, "-", "-s", "1"], input=piped.stdout, capture_output=True, check=True)
    assert len(again.stdout) == len(piped.stdout)
    to_file = subprocess.run(
        [*relume, "-", "-o", "out.mkv", "--json"], input=piped.stdout, capture_output=True, check=True
    )
    assert json.loads(to_file.stdout.splitlines()[-1])["num_frames"] == 5


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_while_the_network_does_not_answer(
    film: Path, options: list[str], number: int, code: int
):
    """However slow the machine is: here a tile takes an hour. Afterwards the same command works."""
    slow = f"""
import signal, sys, time
from relume.backends.openvino import OpenVINOBackend
from relume.cli import main
from relume.video import ahead
ahead.grace_s = 0.1
def compute(self, batch, depth):
    print("at work", flush=True)
    time.sleep(3600)
OpenVINOBackend._compute = compute
sys.argv = ["relume", "upscale", "film.mkv", *{options!r}]
main()
"""
    with subprocess.Popen([sys.executable, "-c", slow], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(number)
        assert process.wait(60) == code
    assert run(["upscale", "film.mkv", *options]) == 0


def test_killed_and_out_of_space(film: Path, options: list[str]):
    """The same command carries on, and the bytes are those of an undisturbed run."""
    command = [sys.executable, "-m", "relume", "upscale", "film.mkv", *options]
    environment = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    assert run(["upscale", "film.mkv", *options, "-o", "whole.mkv"]) == 0
    whole = Path("whole.mkv").read_bytes()
    limit = len(whole) // 3
    full = subprocess.run(
        command, **environment, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert full.returncode == 74, full.stderr
    assert len(full.stderr.splitlines()) == 1
    assert not Path("film-tiny-x4.mkv").exists()
    with subprocess.Popen(command, **environment) as process:
        while not list(Path("film-tiny-x4.mkv.parts").glob(".0*")) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert subprocess.run(command, **environment).returncode == 0
    assert sha256(Path("film-tiny-x4.mkv").read_bytes()).digest() == sha256(whole).digest()
    assert not Path("film-tiny-x4.mkv.parts").exists()
