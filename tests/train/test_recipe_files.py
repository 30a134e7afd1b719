from importlib import resources

import pytest
import yaml

from relume.errors import InputError, UsageError
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
    assert "arch.compact.size: Input should be 'tiny', 'small' or 'medium', got 'huge'" in message


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
