import json

import pytest
import torch
from safetensors import safe_open

from relume.archs import num_parameters
from relume.backends import open_backend
from relume.errors import InputError, UsageError
from relume.export import LARGEST_DIFFERENCE, PARITY_SIZES, export, read_scores
from relume.train.recipe import Recipe
from relume.train.state import TrainState, read_checkpoint
from relume.zoo import read_card

CPU = torch.device("cpu")


ARCHS = {
    "compact": {"kind": "compact", "size": "tiny"},
    "srresnet": {"kind": "srresnet", "width": 16, "num_blocks": 2},
}


@pytest.fixture(params=ARCHS)
def run(request, tmp_path):
    """A run folder whose network has seen a few (random) steps."""
    recipe = Recipe.model_validate(
        {
            "name": f"{request.param}-x2",
            "arch": ARCHS[request.param],
            "scale": 2,
            "steps": 7,
            "data": {"crop_px": 32},
        }
    )
    state = TrainState.start(recipe, CPU)
    state.step = 7
    for tensor in state.averaged.state_dict().values():
        if tensor.is_floating_point():
            tensor.mul_(1 + 0.05 * torch.rand_like(tensor))
    state.save(tmp_path / "run" / "checkpoints" / "step-00000007.safetensors")
    return tmp_path / "run", state.averaged


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_written_files_compute_what_the_network_does(run, tmp_path, suffix):
    run_dir, network = run
    out = tmp_path / f"model{suffix}"
    report = export(run_dir, out)
    assert [(p.height, p.width) for p in report.parity] == list(PARITY_SIZES)
    assert max(p.max_abs_diff for p in report.parity) <= LARGEST_DIFFERENCE
    as_papers_count = network if report.card.arch == "srresnet" else network.deployed()
    assert report.num_parameters == num_parameters(as_papers_count)
    lq = torch.rand(2, 3, 9, 14)
    backend = open_backend(out, report.card, device="cpu")
    sr = torch.from_numpy(backend.run(lq.permute(0, 2, 3, 1).contiguous().numpy())).permute(0, 3, 1, 2)
    with torch.no_grad():
        assert (sr - network.eval()(lq).clamp(0, 1)).abs().max() <= LARGEST_DIFFERENCE


def test_files_do_not_tell_where_they_were_made(run, tmp_path):
    export(run[0], tmp_path / "model.onnx")
    assert b".py" not in (tmp_path / "model.onnx").read_bytes()


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
def test_the_card_in_the_file_describes_the_network(run, tmp_path, suffix):
    run_dir, network = run
    report = export(run_dir, tmp_path / f"model{suffix}")
    card = read_card(report.path)
    assert card == report.card
    assert (card.scale, card.halo_px, card.value_range) == (2, network.halo_px, network.value_range)
    assert card.recipe_sha256
    assert card.training.startswith("7 steps of 16 crops of 32 px")


def test_the_card_names_the_hardware(run, tmp_path):
    told = run[0] / "environment.json"
    for num, hardware in ((1, "a gpu"), (4, "4 × a gpu")):
        told.write_text(json.dumps({"device": "a gpu", "processes": num}))
        card = export(run[0], tmp_path / "model.safetensors").card
        assert card.training == f"7 steps of 16 crops of 32 px, {hardware}"


def test_the_card_names_what_the_run_began_from(run, tmp_path):
    begun = run[0].with_name("before-x2")
    run[0].rename(begun)
    checkpoint = begun / "checkpoints" / "step-00000007.safetensors"
    header = read_checkpoint(checkpoint)[1]
    recipe = Recipe.model_validate({**header["recipe"], "initial_weights": str(begun), "variant": "again"})
    state = TrainState.start(recipe, CPU)
    after = tmp_path / "after" / "checkpoints" / "step-00000000.safetensors"
    after.parent.mkdir(parents=True)
    state.save(after)
    card = export(tmp_path / "after", tmp_path / "model.safetensors").card
    assert card.training == "0 steps of 16 crops of 32 px, from before-x2"
    assert card.variant == "again"


def test_safetensors_can_be_trained_on(run, tmp_path):
    run_dir, network = run
    export(run_dir, tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == network.state_dict().keys()


def test_a_network_that_a_file_does_not_match_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr("relume.export.LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(InputError, match="does not compute what the network does"):
        export(run[0], tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_wrong_suffixes_and_empty_runs_are_told(run, tmp_path):
    with pytest.raises(UsageError, match=r"got model.pth; allowed: .onnx, .safetensors"):
        export(run[0], tmp_path / "model.pth")
    with pytest.raises(
        InputError, match=r"holds no checkpoint; allowed: .*\.safetensors; for --int8 an \.onnx"
    ):
        export(tmp_path / "elsewhere", tmp_path / "model.onnx")


def test_scores_come_from_an_evaluation(tmp_path):
    row = {
        "model": "a-x4",
        "dataset": "Set5",
        "protocol": "matlab",
        "num_images": 5,
        "psnr": 31.12345,
        "ssim": 0.87654,
    }
    (tmp_path / "scores.json").write_text(
        json.dumps(
            {"manifest": {}, "rows": [{"model": "original"}, row | {"model": "bicubic", "psnr": 30}, row]}
        )
    )
    (score,) = read_scores(tmp_path / "scores.json", "a-x4")
    assert (score.dataset, score.psnr, score.ssim) == ("Set5", 31.123, 0.8765)
    assert score.base == (30, 0.8765)
    with pytest.raises(InputError, match="no row of b-x4"):
        read_scores(tmp_path / "scores.json", "b-x4")
    (tmp_path / "scores.json").write_text("[]")
    with pytest.raises(InputError, match="no result"):
        read_scores(tmp_path / "scores.json", "a-x4")
