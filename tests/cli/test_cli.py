"""The frame of the command line: dispatch, failures, exit codes, signals."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import relume
from relume import doctor
from relume.backends import DEVICES
from relume.cli import COMMANDS, run
from relume.cli.failures import printable
from relume.doctor import Finding

RELUME = [sys.executable, "-m", "relume"]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    assert run([]) == run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        run([*name.split(), "--help"])
    assert f"usage: relume {name}" in capsys.readouterr().out


def test_version_comes_from_one_place():
    shown = subprocess.run([*RELUME, "--version"], capture_output=True, text=True, check=True).stdout
    assert shown == f"relume {relume.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["upscal"], "unknown command; got upscal; allowed: upscale, .*; did you mean upscale?"),
        (["upscale"], "no picture is given; for example: relume upscale photo.jpg"),
        (["upscale", "a.png", "--scal", "2"], "unknown option; got --scal; did you mean --scale?"),
        (["upscale", "a.png", "--qqq"], "unknown option; got --qqq; see relume upscale --help"),
        (["plan"], "no picture is given; for example: relume plan photo.jpg"),
        (
            ["upscale", "a.png", "-s", "abc"],
            "wrong value for --scale; got abc; allowed: a number from 0.01 to 100; see relume upscale --help",
        ),
        (
            ["upscale", "a.png", "-s", "1000"],
            "wrong value for --scale; got 1000; allowed: a number from 0.01 to 100; see .*",
        ),
        (
            ["eval", "--data", ".", "--size", "640"],
            "wrong value for --size; got 640; allowed: width and height such as 640x360; .*",
        ),
        (
            ["upscale", "a.png", "--subsampling", "5"],
            "wrong value for --subsampling; got 5; allowed: 4:4:4, .*",
        ),
        (["upscale", "a.png", "-s"], "-s/--scale: expected one argument; see relume upscale --help"),
        (["export", "runs/x"], "the following arguments are required: -o/--output; see relume export --help"),
        (["train"], "the following arguments are required: RECIPE; see relume train --help"),
        (["train", "compact-small-x4", "optimizr.lr=1"], "recipe compact-small-x4: unknown key optimizr, .*"),
        (["upscale", "a.png", "--report", "-"], "--report needs a file; got -; --json tells .*"),
        (["train", "nonsense"], "unknown recipe; got nonsense; .*"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], told: str, capfd: pytest.CaptureFixture[str]
):
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(f"relume: {told}\n".replace("?\n", r"\?\n"), err)


@pytest.mark.parametrize("command", ["upscale a.png", "deblur a.png", "plan a.png", "eval --data .", "bench"])
def test_devices_are_the_same_everywhere(command: str, capfd: pytest.CaptureFixture[str]):
    assert run([*command.split(), "-g", "quantum"]) == 2
    told = f"wrong value for --device; got quantum; allowed: {', '.join(DEVICES)}; see"
    assert told in capfd.readouterr().err


@pytest.mark.parametrize("command", ["bench --json", "bench --markdown", "check . --sheet", "export run -o"])
def test_outputs_that_cannot_be_written_end_it_at_the_start(
    command: str, pictures: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    for work in ("bench.measure", "data.check.check", "export.export"):
        monkeypatch.setattr(f"relume.{work}", lambda *_, **__: pytest.fail("too late"))
    assert run([*command.split(), "a.png/x.onnx"]) == 74
    assert "cannot make the folder a.png" in capfd.readouterr().err


def test_a_bug_is_one_line_with_its_traceback_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def examine():
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(doctor, "examine", examine)
    assert run(["doctor"]) == 1
    line = "relume: this is a bug in relume; got ZeroDivisionError('oh\\nno'); RELUME_DEBUG=1 shows where\n"
    assert capsys.readouterr().err == line
    monkeypatch.setenv("RELUME_DEBUG", "1")
    assert run(["doctor"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_doctor_fails_if_something_does_not_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(
        doctor, "examine", lambda: [Finding("speed", "good"), Finding("models", "bad", fine=False)]
    )
    assert run(["doctor"]) == 1
    assert capsys.readouterr().out == "speed      good\nmodels     bad\n"


def test_control_characters_of_file_names_do_not_reach_the_terminal():
    assert printable("grün \x1b[31m\r.png") == r"grün \x1b[31m\r.png"


def test_a_reader_who_has_enough_is_no_error():
    with subprocess.Popen([*RELUME, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_whole_files_only(number: int, code: int, pictures: Path, tiny_model: Path):
    """A batch that would take long is interrupted after its first result."""
    many = [f"{index}.png" for index in range(2000)]
    for name in many:
        os.link("a.png", name)
    command = [*RELUME, "upscale", *many, "-n", str(tiny_model), "-o", "out/", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        time.sleep(0.05)
        process.send_signal(number)
        process.stdout.read()
        assert process.stderr.read() == "relume: interrupted; what was finished is kept\n"
    assert process.returncode == code
    names = sorted(os.listdir("out"))
    assert names.pop(0) == ".relume-journal.jsonl"
    assert 0 < len(names) < len(many)
    assert all(name.endswith("-x4.png") and not name.startswith(".") for name in names)
