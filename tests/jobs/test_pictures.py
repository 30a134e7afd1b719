from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError
from relume.image import Picture
from relume.jobs.pictures import PictureStages


def twice_as_wide(picture: Picture, tell) -> Picture:
    return picture.replace(pixels=picture.pixels.repeat(2, axis=1))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    Image.new("RGB", (6, 4), "teal").save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_picture_passes_through(source: Path, tmp_path: Path):
    stages = PictureStages(twice_as_wide, 2, 1000)
    worked = stages.work(stages.load(source), lambda *now: None)
    written = stages.save(worked, tmp_path / "b.png")
    assert (written.scale, written.width, written.height) == (2, 12, 4)
    with Image.open(tmp_path / "b.png") as picture:
        assert picture.size == (12, 4)


def test_the_weight_is_that_of_the_arrays(source: Path):
    arrays = [np.empty((4, 6, 3), np.float32), np.empty((12, 18, 3), np.float32)]
    weight = PictureStages(twice_as_wide, 3, 1000).weigh(source)
    assert 1 < weight / sum(array.nbytes for array in arrays) < 2
    assert PictureStages(twice_as_wide, 3, 1000).weigh(source.parent / "missing.png") == 0


def test_too_many_pixels_are_refused(source: Path):
    with pytest.raises(InputError, match="too large"):
        PictureStages(twice_as_wide, 2, 23).load(source)
