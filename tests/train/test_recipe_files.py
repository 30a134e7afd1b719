from importlib import resources

import pytest
import yaml

from relume.errors import InputError, UsageError
from relume.train.degradations import FewFramesOptions
from relume.train.recipe_files import list_recipes, load_recipe


@pytest.mark.parametrize("name", list_recipes())
def test_every_shipped_recipe_is_valid_and_named_as_its_file(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert recipe.licences


@pytest.mark.parametrize("name", list_recipes())
def test_every_variant_is_valid(name):
    text = (resources.files("relume") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    for variant in yaml.safe_load(text).get("variants", {}):
        recipe = load_recipe(name, [f"variant={variant}"])
        assert recipe != load_recipe(name), variant


def test_overrides_are_yaml_and_numbers_may_have_exponents():
    recipe = load_recipe(
        "compact-small-x4",
        ["optimizer.lr=2e-4", "data.train=[a, b]", "runtime.compile=false", "optimizer.clip_norm=null"],
    )
    assert recipe.optimizer.lr == 2e-4
    assert recipe.data.train == ("a", "b")
    assert recipe.runtime.compile is False
    assert recipe.optimizer.clip_norm is None


def test_all_mistakes_are_named_at_once_with_the_nearest_key():
    with pytest.raises(UsageError) as raised:
        load_recipe("compact-small-x4", ["optimizr.lr=1", "steps=-3", "arch.size=huge"])
    message = str(raised.value)
    assert "unknown key optimizr, did you mean optimizer?" in message
    assert "steps: Input should be greater than 0, got -3" in message
    assert "arch.size: Input should be 'tiny', 'small' or 'medium', got 'huge'" in message


def test_unknown_recipes_get_a_suggestion(tmp_path):
    with pytest.raises(UsageError, match=r"did you mean compact-small-x4\?"):
        load_recipe("compact-smal-x4")
    with pytest.raises(UsageError, match="does not exist"):
        load_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["a: [", "just text", "- 1\n- 2"])
def test_files_that_are_no_recipe_are_input_errors(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(InputError, match="recipe"):
        load_recipe(tmp_path / "bad.yaml")


@pytest.mark.parametrize("override", ["steps", "=3", "name.x=1"])
def test_overrides_that_assign_nothing_are_usage_errors(override):
    with pytest.raises(UsageError, match="override"):
        load_recipe("compact-small-x4", [override])


def test_a_recipe_knows_its_variants():
    assert load_recipe("photo-x4").variant == ""
    assert load_recipe("photo-x4", ["variant=warm_start"]).variant == "warm_start"


def test_the_taps_of_a_variant_replace_those_of_the_recipe():
    assert load_recipe("srgan-x4", ["variant=as_published"]).perceptual.taps == {"relu5_4": 1.0}
    assert len(load_recipe("srgan-x4").perceptual.taps) == 4
    with pytest.raises(UsageError, match=r"taps.relu5_4: Input should be greater than 0"):
        load_recipe("srgan-x4", ["perceptual.taps={relu5_4: 0}"])


@pytest.mark.parametrize(
    "overrides",
    [
        ["degradation.kind=few-frames", "degradation.extent_px=[1, 9]"],
        ["degradation.extent_px=[1, 9]", "degradation.kind=few-frames"],
    ],
)
def test_another_kind_takes_the_keys_of_the_old_one_with_it(overrides):
    assert load_recipe("deblur", overrides).degradation == FewFramesOptions(
        kind="few-frames", extent_px=(1, 9)
    )
    assert load_recipe("deblur", ["degradation.kind=motion-blur"]) == load_recipe("deblur")


def test_keys_that_all_kinds_have_stay():
    assert load_recipe("deblur", ["schedule.kind=constant"]).schedule.warmup_steps == 200


def test_an_override_changes_only_the_key_it_names_where_a_file_repeats_a_group():
    recipe = load_recipe("deblur", ["variant=few_frames", "degradation.extent_px=[1, 9]"])
    assert recipe.degradation.extent_px == (1, 9)
    assert recipe.also["still"] == load_recipe("deblur", ["variant=few_frames"]).also["still"]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("degradation.kind=few_frames", "degradation.kind: Input should be one of 'downsample', 'chain', "
         "'motion-blur', 'few-frames', 'frame-mean', 'given', got 'few_frames', did you mean few-frames?"),
        ("degradation={length_px: 3}", "degradation.kind: Field required"),
        ("degradation.lengthpx=3", "unknown key degradation.lengthpx, did you mean degradation.length_px?"),
        ("also.pairs.degradation.x=3", "unknown key also.pairs.degradation.x"),
        ("optimizer.lrr=1", "unknown key optimizer.lrr, did you mean optimizer.lr?"),
        ("schedule.kind=cosin", "got 'cosin', did you mean cosine?"),
        ("variant=few-frames", "did you mean few_frames?"),
    ],
)  # fmt: skip
def test_mistakes_are_told_as_they_were_written(override, told):
    with pytest.raises(UsageError) as raised:
        load_recipe("deblur", [override])
    assert str(raised.value).endswith(told)
