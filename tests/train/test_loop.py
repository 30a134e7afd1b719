import json
import os
import re
import signal
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from relume.archs import build
from relume.errors import InputError, TrainingDiverged, UsageError
from relume.train import loop
from relume.train.loop import train
from relume.train.state import TrainState, newest_checkpoint, read_checkpoint


def changed(recipe, **changes):
    return recipe.model_validate({**recipe.resolved(), **changes})


def runtime(recipe, **changes):
    return changed(recipe, runtime={**recipe.resolved()["runtime"], **changes})


@pytest.mark.parametrize("num_workers", [0, 2])
def test_resuming_gives_the_same_bytes_as_not_stopping(recipe, tmp_path, num_workers):
    whole = train(runtime(recipe, num_workers=0), tmp_path / "whole", device="cpu")
    first = train(runtime(recipe, num_workers=num_workers), tmp_path / "parts", device="cpu")
    (tmp_path / "parts" / "checkpoints" / "step-00000004.safetensors").unlink()
    second = train(runtime(recipe, num_workers=num_workers), tmp_path / "parts", device="cpu", resume=True)
    assert first == second
    assert _without_runtime(whole) == _without_runtime(second)
    if num_workers == 0:
        assert whole.read_bytes() == second.read_bytes()


def _without_runtime(checkpoint):
    tensors, header = read_checkpoint(checkpoint)
    header["recipe"].pop("runtime")
    return {name: value.numpy().tobytes() for name, value in tensors.items()}, header


def test_training_learns(recipe, tmp_path):
    longer = changed(recipe, steps=80, optimizer={"lr": 3e-3}, validation={"every": 10, "most": 4}, ema=0.9)
    train(longer, tmp_path / "run", device="cpu")
    psnr = [row["validation/psnr"] for row in _rows(tmp_path / "run") if "validation/psnr" in row]
    assert psnr[-1] > psnr[0] + 2


def test_a_run_folder_holds_what_it_promises(recipe, tmp_path):
    run = tmp_path / "run"
    train(runtime(recipe, save_every=1, keep=2), run, device="cpu")
    names = {path.relative_to(run).as_posix() for path in run.rglob("*")}
    assert {"recipe.yaml", "environment.json", "metrics.jsonl", "progress.webp"} <= names
    assert {"samples/step-00000002.png", "samples/step-00000004.png"} <= names
    checkpoints = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert checkpoints == ["best.safetensors", "step-00000003.safetensors", "step-00000004.safetensors"]
    assert any("tfevents" in name for name in names)
    with Image.open(run / "progress.webp") as animation:
        assert animation.n_frames == 2
    rows = _rows(run)
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4]
    assert all(row["images_per_s"] > 0 and 0 <= row["data_wait"] <= 1 for row in rows if "loss" in row)
    assert all(row["validation/psnr"] > 5 for row in rows if "validation/psnr" in row)


def test_rows_of_a_killed_run_are_not_logged_twice(recipe, tmp_path):
    run = tmp_path / "run"
    train(recipe, run, device="cpu")
    (run / "checkpoints" / "step-00000004.safetensors").unlink()
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    train(recipe, run, device="cpu", resume=True)
    assert [row["step"] for row in _rows(run) if "loss" in row] == [1, 2, 3, 4]


def test_ctrl_c_saves_and_leaves(recipe, tmp_path, monkeypatch):
    run = tmp_path / "run"
    before = loop.train_step

    def interrupted(state, *arguments):
        if state.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return before(state, *arguments)

    monkeypatch.setattr(loop, "train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(runtime(recipe, save_every=100), run, device="cpu")
    newest = newest_checkpoint(run)
    assert newest.name == "step-00000003.safetensors"
    assert read_checkpoint(newest)[1]["step"] == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_kill_9_in_the_middle_of_adversarial_training_costs_no_byte(recipe, tmp_path):
    adversarial = {"discriminator": {"kind": "unet", "width": 4}, "loss": "wgan-gp", "critic_steps": 2}
    recipe = changed(recipe, adversarial=adversarial, ema=0.9, validation={"every": 100, "most": 1})
    whole = train(recipe, tmp_path / "whole", device="cpu")
    (tmp_path / "recipe.json").write_text(recipe.model_dump_json())
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    assert process.wait(timeout=240) == -signal.SIGKILL
    assert newest_checkpoint(tmp_path / "killed").name == "step-00000002.safetensors"
    again = train(recipe, tmp_path / "killed", device="cpu", resume=True)
    assert again.name == whole.name
    assert again.read_bytes() == whole.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from relume.train import loop
from relume.train.recipe import Recipe

def train_step(state, *arguments):
    if state.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return before(state, *arguments)

before, loop.train_step = loop.train_step, train_step
folder = Path(sys.argv[1])
recipe = Recipe.model_validate_json((folder / "recipe.json").read_text())
loop.train(recipe, folder / "killed", device="cpu")
"""


def test_crops_may_be_made_on_the_device(recipe, tmp_path):
    train(recipe, tmp_path / "host", device="cpu")
    train(runtime(recipe, on_device=True), tmp_path / "device", device="cpu")
    psnr = [_rows(tmp_path / run)[-1]["validation/psnr"] for run in ("host", "device")]
    assert psnr[0] == pytest.approx(psnr[1], abs=0.01)
    blurred = changed(runtime(recipe, on_device=True), scale=1, degradation={"kind": "motion-blur"},
                      arch={"kind": "deblurgan-unet", "width": 4})  # fmt: skip
    with pytest.raises(UsageError, match="on the device crops can only be shrunk"):
        train(blurred, tmp_path / "blurred", device="cpu")


def test_data_sets_may_be_mixed(recipe, photos, tmp_path):
    more = {"share": 0.5, "train": [str(photos)], "degradation": {"kind": "downsample", "kernel": "box"}}
    mixed = changed(recipe, also={"boxes": more})
    train(runtime(mixed, max_minutes=1e-9), tmp_path / "run", device="cpu")
    last = train(mixed, tmp_path / "run", device="cpu", resume=True)
    assert last.name == "step-00000004.safetensors"
    with pytest.raises(InputError, match="another recipe; got also"):
        train(recipe, tmp_path / "run", device="cpu", resume=True)
    with pytest.raises(UsageError, match="takes one data set, not a mixture"):
        train(runtime(mixed, on_device=True), tmp_path / "device", device="cpu")


def test_time_runs_out_and_the_run_goes_on_later(recipe, tmp_path, capsys):
    first = train(runtime(recipe, max_minutes=1e-9), tmp_path / "run", device="cpu", resume=True)
    assert first.name == "step-00000000.safetensors"
    assert "run held no checkpoint: the run starts anew" in capsys.readouterr().err
    assert train(recipe, tmp_path / "run", device="cpu", resume=True).name == "step-00000004.safetensors"


def test_a_run_folder_is_not_overwritten(recipe, tmp_path):
    train(recipe, tmp_path / "run", device="cpu")
    with pytest.raises(UsageError, match="already holds a run; add --resume"):
        train(recipe, tmp_path / "run", device="cpu")
    onwards = changed(recipe, initial_weights=str(tmp_path / "run"))
    with pytest.raises(
        UsageError, match="already holds a run; this one starts from it: choose another --run"
    ):
        train(onwards, tmp_path / "run", device="cpu")


@pytest.mark.parametrize("change", [{"initial_weights": "nowhere"}, {"teacher": {"model": "nowhere"}}])
def test_missing_weights_are_told_before_data_are_decoded(recipe, tmp_path, monkeypatch, change):
    monkeypatch.setattr(loop, "find_data", lambda _: lambda: pytest.fail("decoded"))
    with pytest.raises(UsageError, match=r"there is no (initial_weights|teacher\.model); got nowhere"):
        train(changed(recipe, **change), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_another_recipe_or_other_pictures_are_refused(recipe, photos, tmp_path):
    run = tmp_path / "run"
    train(recipe, run, device="cpu")
    with pytest.raises(InputError, match=r"another recipe; got batch_size: 2 -> 3; seed: 0 -> 1"):
        train(changed(recipe, batch_size=3, seed=1), run, device="cpu", resume=True)
    with pytest.raises(InputError, match="changes the learning rate of steps already done"):
        train(changed(recipe, steps=8), run, device="cpu", resume=True)
    Image.new("RGB", (70, 70)).save(photos / "d.png")
    with pytest.raises(InputError, match="trained on other pictures"):
        train(recipe, run, device="cpu", resume=True)


def test_a_longer_run_goes_on_where_its_learning_rate_was_the_same(recipe, tmp_path):
    constant = changed(recipe, schedule={"kind": "constant"})
    train(constant, tmp_path / "run", device="cpu")
    newest = train(changed(constant, steps=6), tmp_path / "run", device="cpu", resume=True)
    assert newest.name == "step-00000006.safetensors"


def test_a_run_may_start_from_the_weights_of_another(recipe, tmp_path):
    first = train(recipe, tmp_path / "first", device="cpu")
    still = changed(recipe, initial_weights=str(tmp_path / "first"), steps=1, optimizer={"lr": 1e-12}, ema=0)
    second = train(still, tmp_path / "second", device="cpu")
    old, new = read_checkpoint(first)[0], read_checkpoint(second)[0]
    name = "body.0.kernel"
    assert torch.allclose(old[f"networks.ema.{name}"], new[f"networks.generator.{name}"], atol=1e-6)


def test_a_run_may_start_from_the_weights_of_another_scale(recipe, tmp_path):
    first = train(recipe, tmp_path / "first", device="cpu")
    other = {"scale": 3, "steps": 1, "optimizer": {"lr": 1e-12}, "ema": 0}
    other["data"] = {**recipe.data.model_dump(), "crop_px": 48}
    with pytest.raises(InputError, match="cannot start from"):
        train(changed(recipe, initial_weights=str(first), **other), tmp_path / "refused", device="cpu")
    started = changed(recipe, initial_weights=str(first), initial_scale=recipe.scale, **other)
    second = train(started, tmp_path / "second", device="cpu")
    old, new = read_checkpoint(first)[0], read_checkpoint(second)[0]
    assert torch.allclose(
        old["networks.ema.body.0.kernel"], new["networks.generator.body.0.kernel"], atol=1e-6
    )
    assert len(new["networks.generator.tail.bias"]) == 3 * 3**2


def test_batch_norm_may_start_from_the_weights_of_another_scale(recipe, tmp_path):
    arch = {"kind": "srresnet", "width": 8, "num_blocks": 1}
    small = changed(recipe, arch=arch, steps=1, ema=0, optimizer={"lr": 1e-12})
    first = train(small, tmp_path / "first", device="cpu")
    half = changed(small, scale=2, initial_weights=str(first), initial_scale=4, seed=1)
    second = train(half, tmp_path / "second", device="cpu")
    name = "networks.generator.head.0.weight"
    assert torch.allclose(read_checkpoint(first)[0][name], read_checkpoint(second)[0][name], atol=1e-6)


def test_half_the_scale_starts_as_the_result_of_the_whole_made_smaller(recipe, tmp_path):
    whole = build("compact", {"scale": 4, "size": "medium"}).eval()
    save_file(whole.state_dict(), tmp_path / "x4.safetensors")
    halved = changed(
        recipe,
        arch={"kind": "compact", "size": "medium"},
        scale=2,
        initial_weights=str(tmp_path / "x4.safetensors"),
        initial_scale=4,
        ema=0,
    )
    half = TrainState.start(halved, torch.device("cpu")).networks["generator"].eval()
    lq = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        smaller = torch.nn.functional.avg_pool2d(whole(lq), 2)
        assert torch.allclose(half(lq), smaller, atol=1e-5)


def test_damaged_checkpoints_are_input_errors(recipe, tmp_path):
    newest = train(recipe, tmp_path / "run", device="cpu")
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(InputError, match="is no checkpoint"):
        train(recipe, tmp_path / "run", device="cpu", resume=True)


def test_lasting_nan_stops_the_run_and_keeps_the_last_good_checkpoint(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("relume.train.loop.PATIENCE", 3)
    run = tmp_path / "run"
    good = train(recipe, run, device="cpu")
    monkeypatch.setattr("relume.train.step.PIXEL_LOSSES", {"l1": _nan})
    constant = changed(recipe, steps=20)
    monkeypatch.setattr("relume.train.state.require_same_past", lambda *_: None)
    before = good.read_bytes()
    with pytest.raises(
        TrainingDiverged, match=f"no finite gradient for 3 steps.*got {re.escape(str(good))} from before"
    ):
        train(constant, run, device="cpu", resume=True)
    with pytest.raises(TrainingDiverged, match="got no checkpoint from before"):
        train(constant, tmp_path / "anew", device="cpu")
    assert good.read_bytes() == before
    assert sorted((run / "checkpoints").glob("step-*"))[-1] == good


def _nan(sr, hq):
    return (sr * float("nan")).mean()


@pytest.mark.parametrize("device", ["cuda:7", "tpu"])
def test_unknown_devices_are_usage_errors(recipe, tmp_path, device):
    with pytest.raises(UsageError, match="cannot train on this device"):
        train(recipe, tmp_path / "run", device=device)


def _rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
