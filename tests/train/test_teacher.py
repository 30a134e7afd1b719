"""Distillation: who may teach, and that the student learns from it."""

import json

import pytest
import torch

from relume.archs import build
from relume.errors import InputError, UsageError
from relume.export import export
from relume.train.components import TeacherOptions
from relume.train.loop import train
from relume.train.recipe import Recipe
from relume.train.recipe_files import load_recipe
from relume.train.runlog import read_metrics
from relume.train.state import read_checkpoint
from relume.train.teacher import Teacher, load_trained

CPU = torch.device("cpu")


def changed(recipe: Recipe, **changes: object) -> Recipe:
    return Recipe.model_validate({**recipe.resolved(), **changes})


@pytest.fixture
def taught(recipe, tmp_path):
    """The run of a teacher with running mean, and a recipe that learns from it alone."""
    train(changed(recipe, ema=0.5), tmp_path / "teacher", device="cpu")
    return changed(recipe, loss=None, teacher={"model": str(tmp_path / "teacher"), "weight": 2.0})


def test_every_kind_of_file_gives_the_same_network(taught, tmp_path):
    run = tmp_path / "teacher"
    export(run, tmp_path / "teacher.safetensors")
    files = [run, run / "checkpoints" / "step-00000004.safetensors", tmp_path / "teacher.safetensors"]
    found = [load_trained(str(file)).state_dict() for file in files]
    mean = read_checkpoint(files[1])[0]
    for weights in found:
        assert weights.keys() == found[0].keys()
        assert all(torch.equal(value, mean[f"networks.ema.{name}"]) for name, value in weights.items())


def test_results_are_those_of_the_network_and_of_all_its_orientations(taught):
    network = load_trained(taught.teacher.model).eval()
    lq = torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    plain = Teacher(taught.teacher, taught, CPU)
    assert torch.allclose(plain(lq), network(lq).clamp(0, 1), atol=1e-6)
    ensemble = Teacher(taught.teacher.model_copy(update={"ensemble": True}), taught, CPU)
    mean = ensemble(lq)
    assert not torch.allclose(mean, plain(lq), atol=1e-4)
    for turn in (lambda x: x.flip(3), lambda x: x.rot90(1, (2, 3)), lambda x: x.transpose(2, 3)):
        assert torch.allclose(ensemble(turn(lq)), turn(mean), atol=1e-6)


def test_a_student_comes_near_its_teacher_and_says_so(taught, tmp_path):
    student = changed(
        taught,
        steps=25,
        runtime={**taught.resolved()["runtime"], "save_every": 100},
        optimizer={"lr": 5e-3},
        schedule={"kind": "constant"},
        seed=1,
        validation={"every": 100, "most": 1},
    )
    last = train(student, tmp_path / "student", device="cpu")
    rows = [row for row in read_metrics(tmp_path / "student") if "loss/teacher" in row]
    assert all(row["loss"] == pytest.approx(row["loss/teacher"]) for row in rows)
    assert rows[-1]["loss/teacher"] < 0.5 * rows[0]["loss/teacher"]
    assert last.exists()
    told = json.loads((tmp_path / "student" / "environment.json").read_text())
    assert told["teacher"] == Teacher(taught.teacher, taught, CPU).weights_sha256
    assert export(tmp_path / "student", tmp_path / "s.safetensors").card.training.endswith(
        "taught by teacher"
    )


def test_a_changed_teacher_is_refused_and_a_moved_one_is_not(taught, tmp_path):
    run = tmp_path / "student"
    train(changed(taught, schedule={"kind": "constant"}), run, device="cpu")
    longer = changed(taught, schedule={"kind": "constant"}, steps=5)
    moved = tmp_path / "moved"
    (tmp_path / "teacher").rename(moved)
    here = changed(longer, teacher={**longer.resolved()["teacher"], "model": str(moved)})
    assert train(here, run, device="cpu", resume=True).name == "step-00000005.safetensors"
    other = train(changed(taught, loss="l1", teacher=None, seed=5), tmp_path / "other", device="cpu")
    there = changed(here, steps=6, teacher={**longer.resolved()["teacher"], "model": str(other)})
    with pytest.raises(InputError, match=r"other weights of the teacher.*set teacher\.model to that file"):
        train(there, run, device="cpu", resume=True)


def test_who_cannot_teach_is_told(taught, tmp_path):
    def teach(source: object, recipe: Recipe = taught) -> None:
        Teacher(TeacherOptions(model=str(source)), recipe, CPU)

    with pytest.raises(UsageError, match=r"there is no teacher.model; got .*nobody"):
        teach(tmp_path / "nobody")
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"bad\.safetensors is no trained network"):
        teach(tmp_path / "bad.safetensors")
    other = {**taught.resolved()["data"], "crop_px": 48}
    with pytest.raises(UsageError, match="has another scale; got ×4; allowed: ×3"):
        teach(tmp_path / "teacher", changed(taught, scale=3, data=other))


def test_the_variants_name_a_teacher_and_try_out_without_it():
    for name in ("compact-small-x4", "compact-medium-x4"):
        recipe = load_recipe(name, ["variant=distilled", "teacher.ensemble=true"])
        assert recipe.teacher == TeacherOptions(model="runs/teacher-x4", ensemble=True)
        assert recipe.smoke().teacher is None
        assert load_recipe(name).sha256() != recipe.sha256()
    teacher = load_recipe("teacher-x4")
    parameters = build(teacher.arch.kind, teacher.arch_options).parameters()
    assert sum(p.numel() for p in parameters) == 1_478_755
