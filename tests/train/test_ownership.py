"""Run folders that are in use, by processes that end in every way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relume.errors import InputError, OutputError, UsageError
from relume.train.loop import train
from relume.train.ownership import owned

HOLDER = """
import sys
from pathlib import Path
from relume.train.ownership import owned
with owned(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def held(run: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_training_is_refused_until_the_first_is_killed(recipe, tmp_path):
    run = tmp_path / "run"
    with held(run) as other:
        for resume in (False, True):
            with pytest.raises(UsageError, match="another training works in"):
                train(recipe, run, device="cpu", resume=resume)
        assert {path.name for path in run.iterdir()} == {".lock"}
        other.send_signal(signal.SIGKILL)
    assert train(recipe, run, device="cpu").name == "step-00000004.safetensors"


def test_a_run_that_ended_frees_its_folder_also_by_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), owned(tmp_path / "run"):
            raise ZeroDivisionError


def test_a_training_that_fails_before_it_writes_leaves_no_folders(recipe, tmp_path):
    nothing = recipe.model_copy(update={"data": recipe.data.model_copy(update={"train": ("nowhere",)})})
    with pytest.raises(InputError):
        train(nothing, tmp_path / "runs" / "first", device="cpu")
    assert not (tmp_path / "runs").exists()
    (tmp_path / "kept").mkdir()
    with pytest.raises(InputError):
        train(nothing, tmp_path / "kept", device="cpu")
    assert (tmp_path / "kept").is_dir()
    with owned(tmp_path / "written"):
        (tmp_path / "written" / "result").touch()
    assert (tmp_path / "written" / "result").is_file()


def test_a_name_that_is_too_long_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot make the folder"), owned(tmp_path / ("x" * 300)):
        pass


def test_of_several_processes_the_first_holds_the_folder_for_all(tmp_path, monkeypatch):
    with held(tmp_path) as first:
        monkeypatch.setenv("RANK", "1")
        with owned(tmp_path):
            monkeypatch.delenv("RANK")
            with pytest.raises(UsageError), owned(tmp_path):
                pass
        first.communicate("")


def test_what_a_training_started_does_not_hold_the_folder(tmp_path):
    with owned(tmp_path):
        child = os.fork()
        if not child:
            signal.pause()
    try:
        with owned(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_unwritable_folder_is_an_output_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot write"), owned(tmp_path):
        pass


def test_a_file_is_no_folder_to_train_in(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OutputError, match="cannot make the folder"), owned(tmp_path / "run"):
        pass
