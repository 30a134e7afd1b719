import numpy as np
import pytest

from relume.errors import InputError
from relume.image import from_array, to_array

TYPES = ["uint8", "uint16", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
def test_the_same_kind_comes_back(dtype, channels):
    values = np.random.default_rng(0).uniform(0.01, 1, (7, 5, *channels))
    array = (values * 255 if dtype == "uint8" else values * 65535 if dtype == "uint16" else values).astype(
        dtype
    )
    picture = from_array(array)
    assert picture.grey == (channels in ((), (1,), (2,)))
    assert (picture.alpha is None) == (channels not in ((2,), (4,)))
    assert picture.bits == (16 if dtype == "uint16" else 8)
    back = to_array(picture, like=array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_allclose(back, array, rtol=1e-6)


def test_without_an_example_bits_and_channels_decide():
    assert to_array(from_array(np.zeros((4, 5), np.uint16))).dtype == np.uint16
    for channels, shape in (
        ((), (4, 5)),
        ((1,), (4, 5)),
        ((2,), (4, 5, 2)),
        ((3,), (4, 5, 3)),
        ((4,), (4, 5, 4)),
    ):
        assert to_array(from_array(np.zeros((4, 5, *channels), np.float32))).shape == shape
    assert to_array(from_array(np.zeros((4, 5))), dtype="float32").dtype == np.float32


def test_a_given_array_is_not_changed(make_levels):
    array = (make_levels("RGBA") / 255).astype(np.float32)
    before = array.copy()
    from_array(array)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(5, np.uint8), "got shape \\(5,\\); allowed: \\(H, W\\) or"),
        (np.zeros((4, 4, 5), np.uint8), "got shape \\(4, 4, 5\\)"),
        (np.zeros((0, 4, 3), np.uint8), "got shape \\(0, 4, 3\\)"),
        (np.zeros((4, 4, 3), np.int64), "got int64 pixels; allowed: uint8, uint16, float16"),
        (np.full((4, 4, 3), 255.0), "got values from 255 to 255; allowed: \\[0, 1\\]"),
        (np.full((4, 4, 3), np.nan), "got values from nan to nan"),
    ],
)
def test_what_is_no_picture_says_so(array, message):
    with pytest.raises(InputError, match=message):
        from_array(array)


def test_overshoot_is_clipped():
    assert from_array(np.array([[-0.1, 1.2]])).pixels[..., 0].tolist() == [[0, 1]]
