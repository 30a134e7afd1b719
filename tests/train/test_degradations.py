from dataclasses import fields

import pytest

from relume.degrade.blur import Blur, Ringing
from relume.degrade.chain import Chain, Sometimes
from relume.errors import UsageError
from relume.train.degradations import ChainOptions, StepOptions
from relume.train.loop import train
from relume.train.recipe_files import load_recipe
from relume.train.state import read_checkpoint


@pytest.mark.parametrize("options", StepOptions.__subclasses__())
def test_options_are_the_step_s_with_its_defaults(options):
    (kind,) = options.model_fields["kind"].annotation.__args__
    defaults = {field.name: field.default for field in fields(options.step)}
    assert options(kind=kind).model_dump(exclude={"kind", "chance"}) == defaults
    assert options(kind=kind).build() == options.step()


def test_a_chain_is_built_as_it_is_written():
    content = {
        "kind": "chain",
        "rounds": [[{"kind": "blur", "sigma": [1, 2], "chance": 0.5}], [{"kind": "ringing"}]],
        "shuffled": False,
    }
    built = ChainOptions.model_validate(content).build(3)
    blur = Sometimes(Blur(sigma=(1, 2)), 0.5)
    assert built == Chain(3, ((blur,), (Ringing(),)), (), shuffled=False)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("{kind: blur, side: [8, 21]}", "both must be odd"),
        ("{kind: blur, sigma: [3, 1]}", "the first of a range must not be above the second"),
        ("{kind: noise, gery: 0.5}", "did you mean degradation.rounds.0.0.grey?"),
        ("{kind: blurr}", "'blur', 'ringing', 'rescale', 'noise'"),
        ("{kind: compression, quality: [0, 101]}", "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_mistakes_in_steps_are_named(override, told):
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        load_recipe("photo-x4", [f"degradation.rounds=[[{override}]]"])


def test_runs_have_the_same_bytes_with_any_number_of_workers_and_after_a_stop(recipe, tmp_path):
    changes = {
        "degradation": load_recipe("photo-x4").resolved()["degradation"],
        "adversarial": {"discriminator": {"kind": "unet", "width": 4}},
        "runtime": {**recipe.resolved()["runtime"], "precision": "bf16"},
    }
    recipe = recipe.model_validate({**recipe.resolved(), **changes})
    several = recipe.model_copy(update={"runtime": recipe.runtime.model_copy(update={"num_workers": 2})})
    whole = train(recipe, tmp_path / "whole", device="cpu")
    train(several, tmp_path / "parts", device="cpu").unlink()
    resumed = train(several, tmp_path / "parts", device="cpu", resume=True)
    expected, got = (read_checkpoint(path)[0] for path in (whole, resumed))
    assert any(name.startswith("networks.discriminator.") and name.endswith("._u") for name in got)
    assert {name: value.numpy().tobytes() for name, value in got.items()} == {
        name: value.numpy().tobytes() for name, value in expected.items()
    }
