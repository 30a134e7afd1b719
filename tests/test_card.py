import pytest

from relume.card import ModelCard, Score, TrainingSource
from relume.errors import InputError

CARD = ModelCard(
    name="compact-small-x4",
    task="upscale",
    arch="compact",
    arch_options={"scale": 4, "size": "small"},
    scale=4,
    halo_px=11,
    value_range=(-1.0, 1.0),
    training_data=(TrainingSource(name="photos", licence="CC0"),),
    scores=(Score(dataset="Set5", protocol="matlab", psnr=31.5, ssim=0.88),),
)


def test_cards_survive_json():
    assert ModelCard.from_json(CARD.to_json()) == CARD


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"name": "x"}', CARD.to_json().replace('"halo_px"', '"halos"'), '{"scores": [1]}'],
)
def test_damaged_cards_are_input_errors(text):
    with pytest.raises(InputError, match="card"):
        ModelCard.from_json(text)
