import json
from dataclasses import replace

import pytest

from relume.card import ModelCard, Score, TrainingSource
from relume.errors import InputError
from relume.zoo import list_models

CARD = ModelCard(
    name="compact-small-x4",
    task="upscale",
    arch="compact",
    arch_options={"scale": 4, "size": "small"},
    scale=4,
    halo_px=11,
    value_range=(-1.0, 1.0),
    training_data=(TrainingSource(name="photos", licence="CC0"),),
    perceptual_weights="caffe, vgg19_features_q8.npz, SHA-256 27f1",
    scores=(Score(dataset="Set5", protocol="matlab", psnr=31.5, ssim=0.88),),
)


def changed(**values):
    return json.dumps({**json.loads(CARD.to_json()), **values})


def test_cards_survive_json():
    assert ModelCard.from_json(CARD.to_json()) == CARD


def test_cards_from_before_a_key_was_added_are_read():
    old = json.loads(CARD.to_json())
    del old["perceptual_weights"]
    assert ModelCard.from_json(json.dumps(old)).perceptual_weights == ""


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.card.name)
def test_the_cards_in_the_wheel_are_read(model):
    assert ModelCard.from_json(model.card.to_json()) == model.card


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"name": "x"}', CARD.to_json().replace('"halo_px"', '"halos"'), '{"scores": [1]}'],
)
def test_damaged_cards_are_input_errors(text):
    with pytest.raises(InputError, match="card"):
        ModelCard.from_json(text)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"scale": "4"}, "scale is wrong; got '4'; allowed: int"),
        ({"scale": True}, "scale is wrong; got True; allowed: int"),
        ({"scale": 0}, "scale is wrong; got 0; allowed: ≥ 1"),
        ({"global_stats": 1}, "global_stats is wrong; got 1; allowed: bool"),
        ({"task": "colourise"}, "task is wrong; got 'colourise'"),
        ({"name": None}, "name is wrong; got None; allowed: str"),
        ({"value_range": [0]}, r"value_range is wrong; got \[0\]"),
        ({"value_range": [0, "1"]}, r"value_range\[1\] is wrong; got '1'; allowed: float"),
        ({"arch_options": []}, r"arch_options is wrong; got \[\]"),
        ({"scores": [{"dataset": "Set5"}]}, r"scores\[0\] lacks keys; got \['protocol', 'psnr', 'ssim'\]"),
        ({"training_data": [{"name": 1, "licence": "CC0"}]}, "name is wrong; got 1; allowed: str"),
        ({"colour": 1}, r"the card has unknown keys; got \['colour'\]; made by a newer relume"),
    ],
)
def test_wrong_types_are_named(values, told):
    with pytest.raises(InputError, match=told):
        ModelCard.from_json(changed(**values))


def test_whole_numbers_may_stand_for_floats():
    assert ModelCard.from_json(changed(value_range=[-1, 1])).value_range == (-1.0, 1.0)


def test_the_main_scores_are_those_by_the_first_protocol():
    scores = tuple(replace(CARD.scores[0], protocol=each) for each in ("rgb", "matlab"))
    assert replace(CARD, scores=scores).main_scores == scores[:1]
    assert replace(CARD, scores=()).main_scores == ()
