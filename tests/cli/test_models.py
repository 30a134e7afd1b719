import json

import pytest

from relume.backends import prefers_int8
from relume.cli import run
from relume.zoo import list_models


def test_models_say_what_they_are_the_default_for(capsys: pytest.CaptureFixture[str]):
    assert run(["models", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [card["name"] for card in cards] == [model.card.name for model in list_models()]
    found = {card["default_for"]: card["name"] for card in cards if card["default_for"]}
    assert found["upscale -s 2"] == "compact-small-x2" + ("-int8" if prefers_int8() else "")
    assert found["upscale"] == "compact-small-x4" + ("-int8" if prefers_int8() else "")
    assert run(["models"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert sum("  upscale -s 2  " in row for row in rows) == 1
    assert max(map(len, rows)) <= 80
    assert not any("default" in card["description"].lower() for card in cards)
