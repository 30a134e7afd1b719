"""Processes that train together, started by torchrun as users do."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
import yaml

from relume.cli import run
from relume.data.crops import Positions
from relume.errors import UsageError
from relume.train import processes
from relume.train.loop import train
from relume.train.recipe import Recipe
from relume.train.runlog import read_metrics
from relume.train.state import newest_checkpoint, read_checkpoint, step_of


@pytest.fixture
def recipe(recipe):
    """Steps without batch norm in full precision, with an adversary that looks at the whole batch's mean."""
    changes = {
        "batch_size": 4,
        "steps": 2,
        "schedule": {"kind": "constant"},
        "adversarial": {"discriminator": {"kind": "patch"}, "loss": "relativistic-lsgan"},
        "validation": {"every": 100, "most": 1},
        "runtime": {**recipe.resolved()["runtime"], "precision": "fp32", "save_every": 100},
    }
    return Recipe.model_validate({**recipe.resolved(), **changes})


def started(
    recipe: Recipe, run: Path, *options: str, program: tuple[str, ...] = ("-m", "--", "relume")
) -> subprocess.Popen[str]:
    """``relume train``, or another program that takes its arguments, in two processes."""
    file = run.absolute().with_name("recipe.yaml")
    file.write_text(yaml.safe_dump(recipe.resolved()))
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", *program]
    training = ["train", str(file), "--run", str(run), "-g", "cpu", *options]
    return subprocess.Popen(
        [sys.executable, "-m", *torchrun, *training],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    with process:
        try:
            out, err = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun ends its processes
            raise
    return process.returncode, out, err


def content(run: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(run / "checkpoints" / "step-00000002.safetensors")[0]


def workers(process: subprocess.Popen[str], run: Path) -> list[psutil.Process]:
    """The processes of torchrun, at work: a row has been written."""
    until = time.monotonic() + 120
    while not (run / "metrics.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert (run / "metrics.jsonl").exists()
    return [child for child in psutil.Process(process.pid).children() if "relume" in child.cmdline()]


@pytest.mark.slow
def test_two_processes_compute_what_one_does_and_one_goes_on(recipe, tmp_path):
    code, out, err = finished(started(recipe, tmp_path / "two"))
    assert code == 0, err
    assert out.count("next: relume export") == 1  # the first process speaks for both
    train(recipe, tmp_path / "one", device="cpu")
    two, one = content(tmp_path / "two"), content(tmp_path / "one")
    for network in ("generator", "discriminator"):
        means = [
            name for name in one if name.startswith(f"optimizers.{network}") and name.endswith("exp_avg")
        ]
        largest = max(one[name].abs().max() for name in means)  # of gradients, which Adam averages
        assert max((one[name] - two[name]).abs().max() for name in means) < 1e-3 * largest
    moved = torch.cat([(one[n] - two[n]).flatten() for n in one if n.startswith("networks.generator")])
    assert moved.abs().mean() < 0.01 * recipe.steps * recipe.optimizer.lr
    rows = [read_metrics(tmp_path / run)[0] for run in ("one", "two")]
    for name in ("loss", "grad_norm", "d/real", "d/fake", "colour_drift/r"):
        assert rows[1][name] == pytest.approx(rows[0][name], rel=1e-3, abs=1e-4), name

    longer = recipe.model_copy(update={"steps": 3})
    assert train(longer, tmp_path / "two", device="cpu", resume=True).name == "step-00000003.safetensors"


@pytest.mark.slow
def test_a_signal_to_one_process_ends_both_after_saving(recipe, tmp_path):
    """The later process says that it is at work by writing a row; torchrun ends with 1 when a process has."""
    small = {"discriminator": {"kind": "unet", "width": 4}}
    changes = {"steps": 100_000, "adversarial": small}
    process = started(Recipe.model_validate({**recipe.resolved(), **changes}), tmp_path / "run")
    workers(process, tmp_path / "run")[-1].send_signal(signal.SIGTERM)
    code, _, err = finished(process)
    assert code == 1
    # torch's threads may abort a process that leaves: after saving, as is seen below
    assert "exitcode  : 143" in err or "terminate called without an active exception" in err
    newest = newest_checkpoint(tmp_path / "run")
    assert newest is not None
    assert 0 < step_of(newest) < 100_000
    assert {name.split(".")[1] for name in read_checkpoint(newest)[0]} == {
        "generator",
        "discriminator",
        "ema",
    }


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_other_with_a_word_about_it(recipe, tmp_path):
    process = started(recipe.model_copy(update={"steps": 100_000}), tmp_path / "run")
    workers(process, tmp_path / "run")[-1].kill()
    code, _, err = finished(process)
    assert code == 1
    assert "relume: another process of this training ended; torchrun tells which one and how" in err
    assert "bug in relume" not in err


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder, and a program in whose second process ``relume`` works there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    source = """
import os, sys
from relume.cli import run
if os.environ["RANK"] == "1":
    os.chdir("elsewhere")
sys.exit(run(sys.argv[1:]))
"""
    (tmp_path / "program.py").write_text(source)
    return tmp_path / "elsewhere"


def relative(recipe: Recipe) -> Recipe:
    data = recipe.data.model_copy(update={"train": (Path(recipe.data.train[0]).name,)})
    return recipe.model_copy(update={"data": data})


@pytest.mark.slow
def test_what_only_a_later_process_lacks_is_told_before_training(recipe, tmp_path, elsewhere):
    process = started(relative(recipe), tmp_path / "run", program=("--", "program.py"))
    code, _, err = finished(process)
    assert code == 1
    assert "relume: process 1: photos does not exist" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_processes_that_would_go_on_from_other_steps_are_refused(recipe, tmp_path, elsewhere):
    train(relative(recipe), Path("run"), device="cpu")
    shutil.copytree(recipe.data.train[0], elsewhere / "photos")
    longer = relative(recipe).model_copy(update={"steps": 3})
    process = started(longer, Path("run"), "--resume", program=("--", "program.py"))
    code, _, err = finished(process)
    assert code == 1
    assert "relume: the processes of this training differ; got step 2 in process 0, 0 in process 1" in err


def test_what_goes_wrong_in_a_later_process_is_left_to_torchrun(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    assert run(["train", "no-such-recipe"]) == UsageError.exit_code
    assert capsys.readouterr() == ("", "")
    left = json.loads((tmp_path / "error.json").read_text(encoding="utf-8"))["message"]
    assert left["message"].startswith("UsageError: unknown recipe; got no-such-recipe")


def test_shares_of_a_batch_are_the_batch():
    whole = [list(batch) for batch in Positions(3, 5, 6)]
    shares = [list(Positions(3, 5, 6, rank, 3)) for rank in range(3)]
    assert [[*first, *second, *third] for first, second, third in zip(*shares, strict=True)] == whole


def test_a_batch_must_be_divided_equally(recipe, tmp_path):
    runtime = {**recipe.resolved()["runtime"], "accumulate": 3}
    uneven = Recipe.model_validate({**recipe.resolved(), "runtime": runtime})
    with pytest.raises(
        UsageError, match=r"batch_size 4 for 1 processes and runtime.accumulate 3; allowed: mult"
    ):
        train(uneven, tmp_path / "run", device="cpu")


def test_one_process_alone_needs_no_others():
    with processes.joined():
        assert (processes.count(), processes.rank()) == (1, 0)
        assert processes.largest([1, -2.5]) == [1, -2.5]
        tensor = torch.tensor([1.0])
        processes.average([tensor])
        assert tensor == 1
        assert processes.mean({"a": tensor}, tensor.device) == {"a": tensor}
        assert processes.first_then_others(lambda: "made") == "made"
        processes.require_equal({"step": 1})
        with pytest.raises(UsageError, match="own words"), processes.agreeing():
            raise UsageError("own words")


def test_another_process_may_end_this_one(monkeypatch):
    monkeypatch.setattr(processes, "_gathered", lambda own: [own, ("no such picture; got b", 65), None])
    with (
        pytest.raises(processes.EndedElsewhere, match="process 1: no such picture; got b") as told,
        processes.agreeing(),
    ):
        pass
    assert told.value.exit_code == 65
    assert not processes.reported(told.value)  # the first process says it
    monkeypatch.setenv("RANK", "2")
    assert processes.reported(told.value)
    with pytest.raises(UsageError, match="own words"), processes.agreeing():
        raise UsageError("own words")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", "")
    assert not processes.reported(UsageError("nobody else knows this"))


def test_an_own_error_is_told_though_the_others_are_gone(monkeypatch):
    def gone(_):
        raise RuntimeError("gloo/transport: Connection closed by peer")

    monkeypatch.setattr(processes, "_gathered", gone)
    with pytest.raises(UsageError, match="own words"), processes.agreeing():
        raise UsageError("own words")


def test_processes_that_differ_are_told_in_what(monkeypatch):
    monkeypatch.setattr(processes, "_gathered", lambda own: [own, own, {"batch_size": 4, "ema": 0.5}])
    processes.require_equal({"batch_size": 4, "ema": 0.5})
    with pytest.raises(UsageError, match=r"got ema None in process 0, 0\.5 in process 2; give all the same"):
        processes.require_equal({"batch_size": 4})
