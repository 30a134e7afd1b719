import json
import math

import pytest
import torch

from relume.train.crops import find_data
from relume.train.recipe import Recipe
from relume.train.runlog import RunLog, open_log, read_metrics
from relume.train.state import TrainState
from relume.train.validation import Validation

CPU = torch.device("cpu")


@pytest.fixture
def state(recipe):
    changed = {**recipe.resolved(), "runtime": {**recipe.resolved()["runtime"], "log_every": 2}}
    return TrainState.start(Recipe.model_validate(changed), CPU)


@pytest.fixture
def crops(recipe):
    return find_data(recipe)()


def step(log, state, **stats):
    state.step += 1
    log.step(state, {"skipped": torch.tensor(0), **{k: torch.tensor(v) for k, v in stats.items()}})


def test_rows_are_means_of_what_is_finite(state, crops, tmp_path):
    with RunLog(tmp_path, state, crops) as log:
        step(log, state, loss=1.0, seldom=5.0, skipped=1)
        step(log, state, loss=3.0)
        step(log, state, loss=math.nan)
        step(log, state, loss=7.0)
        step(log, state, loss=math.nan)
        step(log, state, loss=math.inf)
    rows = read_metrics(tmp_path)
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert [row["loss"] for row in rows] == [2.0, 7.0, None]
    assert rows[0]["seldom"] == 5.0
    assert rows[0]["skipped"] == 1.0
    assert "seldom" not in rows[1]


def test_waiting_for_data_is_a_part_of_the_time(state, crops, tmp_path, monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 4.0, 4.0, 8.0, 8.0])  # start, waits 1–3 and 4–4, row at 8, start again
    with RunLog(tmp_path, state, crops) as log:
        monkeypatch.setattr("relume.train.runlog.time.perf_counter", lambda: next(clock))
        log._restart_clock(0)
        for _ in range(2):
            with log.waiting():
                pass
            step(log, state, loss=1.0)
    (row,) = read_metrics(tmp_path)
    assert (row["data_wait"], row["seconds"]) == (0.25, 8.0)
    assert row["images_per_s"] == 2 * state.recipe.batch_size / 8


def test_without_a_terminal_a_line_now_and_then_says_how_far_it_is(
    state, crops, tmp_path, capsys, monkeypatch
):
    with RunLog(tmp_path, state, crops) as log:
        for _ in range(4):
            step(log, state, loss=1.5)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr("relume.train.runlog.SECONDS_BETWEEN_LINES", 0.0)
        for _ in range(2):
            step(log, state, loss=1.5)
    assert capsys.readouterr().err.startswith("step 6/4: loss 1.5000  ")


def test_advice_is_given_once(state, crops, tmp_path, capsys):
    with RunLog(tmp_path, state, crops) as log:
        for _ in range(6):
            step(log, state, loss=1.0, grad_norm=1e6)
    assert capsys.readouterr().err.count("set optimizer.clip_norm") == 1


def test_a_validation_leaves_scores_pictures_curves_and_the_best_checkpoint(state, crops, tmp_path, capsys):
    validation = Validation(state.recipe, crops)
    with RunLog(tmp_path, state, crops) as log:
        state.step = 2
        log.validate(state, validation)
        first, scored = (tmp_path / "checkpoints" / "best.safetensors").stat().st_mtime_ns, state.best
        state.step = 4
        log.validate(state, validation)  # no better than before
    assert {"samples", "progress", "curves.svg", "progress.webp"} <= {p.name for p in tmp_path.iterdir()}
    assert [p.name for p in sorted((tmp_path / "samples").iterdir())] == [
        "step-00000002.png",
        "step-00000004.png",
    ]
    assert (tmp_path / "checkpoints" / "best.safetensors").stat().st_mtime_ns == first
    assert state.best == scored == pytest.approx(read_metrics(tmp_path)[0]["validation/psnr"], rel=1e-5)
    assert "step 2/4: PSNR " in capsys.readouterr().err


def test_the_last_checkpoints_are_kept(state, crops, tmp_path):
    with RunLog(tmp_path, state, crops) as log:
        for state.step in (1, 2, 3, 4):
            log.save(state)
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [f"step-0000000{n}.safetensors" for n in (2, 3, 4)]


def test_rows_after_the_checkpoint_are_forgotten(state, crops, tmp_path):
    text = '{"step": 1, "loss": 1}\n{"step": 3, "loss": 1}\n{"step": 2, "los'
    (tmp_path / "metrics.jsonl").write_text(text)
    state.step = 2
    with RunLog(tmp_path, state, crops):
        pass
    assert [row["step"] for row in read_metrics(tmp_path)] == [1]
    assert json.loads((tmp_path / "environment.json").read_text())["num_pictures"] == 3


def test_only_the_first_process_writes(state, crops, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    with open_log(tmp_path / "run", state, crops) as log:
        with log.waiting():
            pass
        step(log, state, loss=1.0)
        log.validate(state, Validation(state.recipe, crops))
        log.save(state)
    assert not (tmp_path / "run").exists()
    assert capsys.readouterr().err == ""
