import io

import numpy as np
import pytest
from PIL import Image

from relume.data.overlap import find_overlaps


def photo(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((180, 140), Image.Resampling.BICUBIC)


def named(*pictures: Image.Image):
    return [(str(number), np.asarray(picture)) for number, picture in enumerate(pictures)]


def as_jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=30)
    return Image.open(buffer)


def test_the_same_pixels_are_found():
    assert find_overlaps(named(photo(0), photo(1)), named(photo(2), photo(1))) == {
        "1": "the same pixels as 1"
    }


@pytest.mark.parametrize(
    "changed",
    [
        lambda picture: picture.resize((45, 35)),
        lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
        lambda picture: picture.transpose(Image.Transpose.TRANSVERSE),
        lambda picture: picture.convert("L").convert("RGB"),
        lambda picture: picture.crop((2, 1, 180, 140)),
        as_jpeg,
    ],
)
def test_changed_pictures_are_found(changed):
    assert find_overlaps(named(changed(photo(3))), named(photo(2), photo(3))) == {"0": "looks like 1"}


def test_other_pictures_and_pictures_of_one_colour_are_not():
    flat = Image.new("RGB", (50, 40), "grey")
    assert find_overlaps(named(*map(photo, range(30)), flat), named(photo(77), flat.resize((60, 60)))) == {}
