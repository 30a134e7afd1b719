import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from relume.errors import InputError, UsageError
from relume.train.recipe import Recipe
from relume.train.state import TrainState, newest_checkpoint, read_checkpoint, step_of

CPU = torch.device("cpu")


def with_adversary(recipe):
    return Recipe.model_validate(
        {**recipe.resolved(), "adversarial": {"discriminator": {"kind": "patch"}, "optimizer": {"lr": 1e-3}}}
    )


def update(state):
    """An optimiser step on made-up gradients."""
    torch.manual_seed(state.step)
    for name, optimizer in state.optimizers.items():
        for parameter in state.networks[name].parameters():
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    state.step += 1


def test_everything_comes_back(recipe, tmp_path):
    recipe = with_adversary(recipe)
    state = TrainState.start(recipe, CPU, {"vgg19": "vgg"})
    update(state)
    state.best = 12.5
    state.save(tmp_path / "step-00000001.safetensors")
    again = TrainState.resume(recipe, tmp_path / "step-00000001.safetensors", CPU, {"vgg19": "vgg"})
    assert (again.step, again.best, again.frozen) == (1, 12.5, {"vgg19": "vgg"})
    assert again.networks.keys() == {"generator", "ema", "discriminator"}
    for each in (state, again):  # the optimisers' memory shows in the next update
        update(each)
    for name, network in state.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, again.networks[name].state_dict()[key]), key


def test_other_weights_of_vgg19_are_refused_and_old_checkpoints_do_not_tell(recipe, tmp_path):
    file = tmp_path / "step-00000000.safetensors"
    state = TrainState.start(recipe, CPU, {"vgg19": "caffe"})
    state.save(file)
    other = {"vgg19": "torchvision"}
    with pytest.raises(InputError, match=r"other weights of VGG19; got torchvision; allowed: caffe"):
        TrainState.resume(recipe, file, CPU, other)
    tensors, header = read_checkpoint(file)
    del header["vgg19"]
    save_file(tensors, file, metadata={"relume_checkpoint": json.dumps(header)})
    assert TrainState.resume(recipe, file, CPU, other).frozen == other


def test_the_running_mean_follows_slowly_at_the_start_and_slower_later(recipe):
    state = TrainState.start(recipe, CPU)
    weight = state.generator.head.contract
    start = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    state.update_ema()
    assert torch.allclose(state.averaged.head.contract, start + 0.9)  # decay (1 + 0) / (10 + 0)
    state.step = 10**6
    state.update_ema()
    assert torch.allclose(state.averaged.head.contract, start + 0.9 + 0.1 * (1 - recipe.ema), atol=1e-6)


def test_batch_norms_memory_is_that_of_networks_that_train(recipe):
    assert TrainState.start(recipe, CPU).running_statistics() == []
    arch = {"kind": "srresnet", "width": 8, "num_blocks": 2}
    state = TrainState.start(Recipe.model_validate({**recipe.resolved(), "arch": arch}), CPU)
    assert len(state.running_statistics()) == 2 * 5
    assert state.running_statistics()[0] is state.generator.blocks[0].body[1].running_mean


def test_the_running_mean_has_a_running_mean_of_statistics(recipe):
    arch = {"kind": "srresnet", "width": 8, "num_blocks": 2}
    state = TrainState.start(Recipe.model_validate({**recipe.resolved(), "arch": arch}), CPU)
    state.step = 10**6
    norm = state.generator.trunk_end[1]
    norm.running_mean += 1
    norm.num_batches_tracked += 1
    state.update_ema()
    averaged = state.averaged.trunk_end[1]
    assert torch.allclose(averaged.running_mean, torch.full((8,), 1 - recipe.ema))
    assert averaged.num_batches_tracked == 1


@pytest.mark.parametrize("fixed", [False, True])
def test_fixed_statistics_stay_and_pictures_train_as_they_are_restored_later(recipe, tmp_path, fixed):
    arch = {"kind": "srresnet", "width": 8, "num_blocks": 2}
    recipe = recipe.model_copy(
        update={"arch": Recipe.model_validate({**recipe.resolved(), "arch": arch}).arch}
    )
    first = TrainState.start(recipe, CPU)
    first.averaged.trunk_end[1].running_mean.fill_(0.5)
    first.save(tmp_path / "first.safetensors")
    update = {"initial_weights": str(tmp_path / "first.safetensors"), "fixed_statistics": fixed}
    state = TrainState.start(recipe.model_copy(update=update), CPU)
    pictures = torch.rand(3, 3, 8, 8)
    trained = state.generator(pictures)
    assert torch.equal(state.generator.trunk_end[1].running_mean, torch.full((8,), 0.5)) == fixed
    assert bool(state.running_statistics()) != fixed
    assert torch.allclose(trained, state.generator.deployed()(pictures), atol=1e-6) == fixed
    trained.sum().backward()
    assert state.generator.trunk_end[1].weight.grad is not None
    state.save(tmp_path / "step-00000000.safetensors")
    again = TrainState.resume(state.recipe, tmp_path / "step-00000000.safetensors", CPU)
    assert again.generator.trunk_end[1].training != fixed


ORDER = """
import sys, torch
from relume.train.recipe import Recipe
from relume.train.state import TrainState
recipe = Recipe.model_validate_json(sys.argv[1])
print(*TrainState.start(recipe, torch.device("cpu")).optimizers)
"""


def test_networks_that_train_have_the_same_order_in_every_process(recipe):
    command = [sys.executable, "-c", ORDER, with_adversary(recipe).model_dump_json()]
    seeds = [os.environ | {"PYTHONHASHSEED": str(seed)} for seed in (1, 2, 3)]
    processes = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for env in seeds]
    assert [process.communicate()[0].split() for process in processes] == [["generator", "discriminator"]] * 3


def test_crops_must_fit_the_network(recipe):
    unet = {**recipe.resolved(), "arch": {"kind": "unet"}}
    with pytest.raises(UsageError, match=r"unet cannot train on crops of this side; got data.crop_px 32"):
        TrainState.start(Recipe.model_validate(unet), CPU)


def test_the_newest_checkpoint_is_that_of_the_highest_step(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    for name in ("step-00000900.safetensors", "step-00001000.safetensors", "best.safetensors"):
        (tmp_path / "checkpoints" / name).touch()
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert step_of(newest) == 1000


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"x" * 100])
def test_files_that_are_no_checkpoint_are_input_errors(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="is no checkpoint of relume"):
        read_checkpoint(tmp_path / "a.safetensors")


def test_weights_to_start_from_must_be_there_and_fit(recipe, tmp_path):
    for source, error in ((tmp_path / "none", UsageError), (tmp_path, UsageError)):
        changed = Recipe.model_validate({**recipe.resolved(), "initial_weights": str(source)})
        with pytest.raises(error, match="there is no initial_weights"):
            TrainState.start(changed, CPU)
    save_file({"head": torch.zeros(1)}, tmp_path / "other.safetensors")
    changed = Recipe.model_validate(
        {**recipe.resolved(), "initial_weights": str(tmp_path / "other.safetensors")}
    )
    with pytest.raises(
        InputError, match=r"cannot start from .*other\.safetensors; got 1 tensors, of which 0 fit"
    ):
        TrainState.start(changed, CPU)


def test_a_checkpoint_is_one_file_of_tensors_with_a_json_header(recipe, tmp_path):
    TrainState.start(recipe, CPU, {"vgg19": "vgg"}).save(tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["relume_checkpoint"])
    assert header.keys() == {"recipe", "data", "vgg19", "step", "best"}
