from dataclasses import fields

import pytest

from relume.degrade.blur import Blur, Ringing
from relume.degrade.chain import Chain, Sometimes
from relume.errors import InputError
from relume.train.degradations import ChainOptions, StepOptions
from relume.train.recipe import load_recipe


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
        ("{kind: noise, gery: 0.5}", "did you mean grey?"),
        ("{kind: blurr}", "'blur', 'ringing', 'rescale', 'noise'"),
        ("{kind: compression, quality: [0, 101]}", "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_mistakes_in_steps_are_named(override, told):
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        load_recipe("photo-x4", [f"degradation.rounds=[[{override}]]"])
