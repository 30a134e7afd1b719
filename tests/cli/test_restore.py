"""Batches: what is left out, gone on with, reported, and where it stops."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.cli import run
from relume.cli.streams import renaming

RELUME = [sys.executable, "-m", "relume"]


@pytest.fixture
def upscale(pictures: Path, tiny_model: Path, capfd: pytest.CaptureFixture[str]):
    """Run `relume upscale --json`; gives exit code, and the outcome by input."""

    def call(*arguments: str) -> tuple[int, dict[str, str]]:
        code = run(["upscale", *arguments, "-n", str(tiny_model), "--json"])
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        outcomes = ("skipped", "error", "output")
        return code, {line["input"]: next(line[key] for key in outcomes if key in line) for line in lines}

    return call


def test_filters(upscale):
    assert upscale(".", "--include", "*.png", "--exclude", "broken*", "-o", "out") == (
        0,
        {"a.png": "out/a-tiny-x4.png", "sub/c.png": "out/sub/c-tiny-x4.png"},
    )
    assert upscale(".", "--include", "*.gif")[0] == 2


def test_what_is_there_can_be_left_out(upscale):
    upscale("a.png", "-o", "out/")
    assert upscale("a.png", "b.jpg", "-o", "out/", "--skip-existing") == (
        0,
        {"a.png": "the result is there", "b.jpg": "out/b-tiny-x4.png"},
    )


def test_what_an_earlier_run_did_is_left_out_unless_it_would_differ(upscale):
    batch = ("a.png", "b.jpg", "-o", "out/", "--resume")
    done = "done by an earlier run"
    assert upscale("a.png", "b.jpg", "-o", "out/") == (
        0,
        {"a.png": "out/a-tiny-x4.png", "b.jpg": "out/b-tiny-x4.png"},
    )
    assert upscale(*batch, "-t", "64") == (0, {"a.png": done, "b.jpg": done})
    Image.new("RGB", (5, 5)).save("a.png")
    Path("out/b-tiny-x4.png").unlink()
    assert upscale(*batch) == (0, {"a.png": "out/a-tiny-x4.png", "b.jpg": "out/b-tiny-x4.png"})
    assert upscale(*batch, "--width", "64", "--suffix=-tiny-x4") == upscale(*batch[:-1])
    assert upscale(*batch) == (0, {"a.png": done, "b.jpg": done})


def test_results_in_8_bits_are_not_taken_for_those_of_the_weights(pictures: Path):
    results = list[bytes]()
    for name in ("compact-small-x4", "compact-small-x4-int8", "compact-small-x4"):
        assert run(["upscale", "a.png", "-o", "out/", "--suffix=-x4", "-n", name, "--resume"]) == 0
        results.append(Path("out/a-x4.png").read_bytes())
    assert results[0] == results[2] != results[1]


def test_shards_together_do_everything_once(upscale):
    for name in "cdefgh":
        os.link("a.png", f"{name}.png")
    names = [f"{name}.png" for name in "acdefgh"]
    parts = [upscale(*names, "-o", "out", "--shard", f"{index}/3")[1] for index in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert upscale(*names, "--shard", "4/3")[0] == 2


def test_a_report_tells_of_every_file(upscale, pictures: Path):
    upscale("a.png", "-o", "out/")
    code, _ = upscale(".", "nothing*", "-o", "out/", "--skip-existing", "--report", "report.json")
    report = json.loads(Path("report.json").read_text())
    assert code == 1
    assert (report["model"], report["finished"]) == ("tiny-x4", True)
    assert [line["output"] for line in report["done"]] == ["out/b-tiny-x4.png", "out/sub/c-tiny-x4.png"]
    assert [line["skipped"] for line in report["skipped"]] == ["the result is there"]
    assert [line["input"] for line in report["failed"]] == ["sub/broken.png"]
    assert report["unusable"] == ["no file matches nothing*"]


def test_a_report_that_cannot_be_written_is_refused_at_once(upscale):
    assert upscale("a.png", "-o", "out/", "--report", "a.png/report.json") == (74, {})


def test_too_many_pixels_are_refused(upscale):
    code, outcomes = upscale("a.png", "--max-pixels", "95")
    assert code == 65
    assert "a.png is too large; got 12 × 8 pixels; allowed: up to 95" in outcomes["a.png"]
    assert upscale("a.png", "--max-pixels", "96")[0] == 0
    assert upscale("a.png", "--max-pixels", "0")[0] == 2


def test_a_filter(pictures: Path, tiny_model: Path):
    command = [*RELUME, "upscale", "-", "-f", "webp", "-n", str(tiny_model)]
    done = subprocess.run(command, input=Path("b.jpg").read_bytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as picture:
        assert (picture.size, picture.format) == ((36, 28), "WEBP")


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["-", "-o", "out.png"], "b.jpg", 0),
        (["-", "a.png", "-o", "out/"], "b.jpg", 0),
        (["a.png", "-o", "-"], None, 0),
        (["-"], None, 65),
        (["-"], "sub/broken.png", 65),
        (["-", "-o", "x.png"], "sub/broken.png", 65),
        (["a.png", "b.jpg", "-o", "-"], None, 2),
        (["sub", "-o", "-"], None, 2),
        (["-", "--json"], "b.jpg", 2),
    ],
)
def test_standard_input_and_output(
    arguments: list[str],
    stdin: str | None,
    code: int,
    pictures: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
):
    content = Path(stdin).read_bytes() if stdin else b""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert run(["upscale", *arguments, "-n", str(tiny_model), "-q"]) == code
    out, err = capfdbinary.readouterr()
    assert err.count(b"\n") == (code > 0)
    assert err.startswith(b"relume: cannot read standard input; got ") == (stdin == "sub/broken.png")
    assert out[:4] == (b"\x89PNG" if arguments[-1] == "-" and code == 0 else b"")
    if stdin and code == 0:
        with Image.open("out.png" if arguments[-1] == "out.png" else "out/stdin-tiny-x4.png") as picture:
            assert picture.size == (36, 28)


def test_progress_calls_standard_input_so():
    told: list[str] = []
    advance = renaming(lambda done, total, what: told.append(what), Path("/tmp/relume-1/stdin"))
    for what in ("/tmp/relume-1/stdin", "a.png"):
        advance(0, 1, what)
    assert told == ["standard input", "a.png"]


def test_nothing_is_written_through_a_link_out_of_the_folder(
    upscale, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Path("out").mkdir()
    Path("out/sub").symlink_to(elsewhere)
    code, outcomes = upscale(".", "--include", "[ac].png", "-o", "out")
    assert (code, outcomes["a.png"]) == (1, "out/a-tiny-x4.png")
    assert "a link leads out of out; got out/sub" in outcomes["sub/c.png"]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_batch_goes_on_with_no_half_file_and_no_file_twice(pictures: Path, tiny_model: Path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    names = [f"{index}.png" for index in range(30)]
    for name in names:
        Image.fromarray(noise).save(name)
    command = [*RELUME, "upscale", *names, "-n", str(tiny_model), "-o", "out", "--json", "--resume"]
    times: dict[str, set[int]] = {}
    for attempt in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            if attempt < 2:
                process.stdout.readline()
                time.sleep(random.random() / 10)
                process.kill()
            process.communicate()
        for path in Path("out").glob("[!.]*.png"):
            with Image.open(path) as picture:
                picture.load()
            times.setdefault(path.name, set()).add(path.stat().st_mtime_ns)
    assert process.returncode == 0
    assert len(times) == len(names)
    assert all(len(found) == 1 for found in times.values())
    assert [path for path in Path("out").glob(".*") if path.suffix == ".png"] == []
    assert process.returncode != -signal.SIGKILL
