import inspect
from typing import get_args

import pytest

from relume.archs import ARCHS
from relume.archs.discriminators import DISCRIMINATORS
from relume.losses.adversarial import ADVERSARIAL
from relume.losses.perceptual import PerceptualLoss
from relume.train.components import AdversarialOptions, Arch, PerceptualOptions


def kind_of(options):
    return get_args(options.model_fields["kind"].annotation)[0]


ARCH_OPTIONS = {kind_of(options): options for options in get_args(get_args(Arch)[0])}
DISCRIMINATOR_OPTIONS = {
    kind_of(options): options
    for options in get_args(AdversarialOptions.model_fields["discriminator"].annotation)
}


@pytest.mark.parametrize(
    ("table", "options"), [(ARCHS, ARCH_OPTIONS), (DISCRIMINATORS, DISCRIMINATOR_OPTIONS)]
)
def test_every_kind_can_be_chosen_and_every_option_is_one_of_its_class(table, options):
    assert options.keys() == table.keys()
    for kind, chosen in options.items():
        parameters = inspect.signature(table[kind]).parameters
        for name, field in chosen.model_fields.items():
            if name != "kind":
                assert field.default == parameters[name].default, f"{kind}.{name}"


def test_adversarial_losses_are_those_there_are():
    assert set(get_args(AdversarialOptions.model_fields["loss"].annotation)) == set(ADVERSARIAL)


def test_options_of_the_perceptual_loss_have_its_defaults():
    parameters = inspect.signature(PerceptualLoss).parameters
    fields = PerceptualOptions.model_fields
    assert fields["distance"].default == parameters["kind"].default
    assert fields["normalise"].default == parameters["normalise"].default
    assert fields["divisor"].default == parameters["divisor"].default


def test_a_discriminator_is_built_with_its_options():
    options = AdversarialOptions.model_validate({"discriminator": {"kind": "conditional", "inject_at": 4}})
    assert options.build().inject_at == 4
