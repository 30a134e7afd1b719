import pytest
from pydantic import ValidationError

from relume.errors import UsageError
from relume.train.recipe_files import load_recipe
from relume.zoo import list_models


def test_recipes_do_not_change():
    with pytest.raises(ValidationError):
        load_recipe("compact-small-x4").steps = 3


def test_crops_must_fit_the_scale():
    with pytest.raises(UsageError, match="crop_px 50 is not a multiple of scale 4"):
        load_recipe("compact-small-x4", ["data.crop_px=50"])


def test_the_hash_ignores_how_a_run_is_computed():
    base = load_recipe("compact-small-x4")
    same = load_recipe("compact-small-x4", ["runtime.threads=7", "data.train=[a]", "validation.every=7"])
    assert same.sha256() == base.sha256()
    assert load_recipe("compact-small-x4", ["seed=7"]).sha256() != base.sha256()


def test_where_further_data_lie_leaves_the_hash_but_their_share_does_not():
    base = load_recipe("deblur")
    assert load_recipe("deblur", ["also.pairs.train=[elsewhere]"]).sha256() == base.sha256()
    assert load_recipe("deblur", ["also.pairs.share=0.1"]).sha256() != base.sha256()
    assert load_recipe("deblur", ["also={}"]).also == {}


def test_further_data_must_fit_the_run():
    with pytest.raises(
        UsageError, match=r"the shares in also sum to 1.2, which leaves nothing of data.train"
    ):
        load_recipe("deblur", ["also.pairs.share=0.7", "also.frames.share=0.5"])
    more = "also.pairs={share: 0.5, train: [gopro], degradation: {kind: given}}"
    with pytest.raises(UsageError, match="degradation given does not shrink: it needs scale 1, not 4"):
        load_recipe("compact-small-x4", [more])


def test_statistics_to_keep_must_be_there():
    with pytest.raises(UsageError, match="fixed_statistics needs initial_weights, which have them"):
        load_recipe("srresnet-x4", ["fixed_statistics=true"])
    recipe = load_recipe("srresnet-x4", ["variant=longer", "fixed_statistics=true"])
    assert recipe.fixed_statistics
    assert not recipe.smoke().fixed_statistics


@pytest.mark.parametrize("name", ["unet-srgan-x4", "unet-srgan-x2", "faces-srgan-x4", "keras-srgan-x4"])
def test_layers_that_enlarge_are_smooth_but_for_the_text(name):
    assert load_recipe(name).arch.smooth_upsampling
    assert not load_recipe(name, ["variant=as_published"]).arch.smooth_upsampling


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.card.name)
def test_models_in_the_wheel_were_made_by_their_recipes(model):
    variant = [f"variant={each}" for each in model.card.variant.split()]
    assert model.card.recipe_sha256 == load_recipe(model.card.recipe, variant).sha256()
    least = {"Set5", "Set14", "BSD100"} if model.card.task == "upscale" else {"eval"}  # of GoPro's pairs
    assert {score.dataset for score in model.card.scores} >= least
