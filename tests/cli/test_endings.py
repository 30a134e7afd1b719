from pathlib import Path

import pytest

from relume.cli.endings import ending_of
from relume.cli.film import Size
from relume.zoo import find_model


@pytest.mark.parametrize(
    ("name", "size", "ending"),
    [
        ("compact-small-x4", {}, "-x4"),
        ("compact-small-x4-int8", {"scale": 2.5}, "-x2.5"),
        ("compact-small-x2", {"width": 1920}, "-1920w"),
        ("compact-small-x4", {"width": 1920, "height": 1080}, "-1920x1080"),
        ("srgan", {}, "-srgan-x4"),
        ("photo", {"height": 1080}, "-photo-1080h"),
    ],
)
def test_models_but_the_default_one_are_named(name: str, size: Size, ending: str):
    assert ending_of(find_model(name), size) == ending


def test_model_files_are_named(tiny_model: Path, tiny_deblur_model: Path):
    assert ending_of(find_model(str(tiny_model)), {}) == "-tiny-x4"
    assert ending_of(find_model(str(tiny_deblur_model)), {}) == "-tiny-deblur-deblurred"
