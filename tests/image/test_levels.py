import numpy as np
import pytest

from relume.image.levels import to_float, to_levels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_comes_back(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    values = to_float(levels)
    assert values.dtype == np.float32
    assert values.min() == 0
    assert values.max() == 1
    np.testing.assert_array_equal(to_levels(values, dtype), levels)


def test_rounds_half_up_and_clips():
    values = np.array(
        [-0.1, 0, 0.499 / 255, 0.5 / 255, 1.5 / 255, 2.5 / 255, 1, 1.2, np.inf, np.nan], np.float32
    )
    np.testing.assert_array_equal(to_levels(values, np.uint8), [0, 0, 0, 1, 2, 3, 255, 255, 255, 0])


def test_floats_are_clipped_and_keep_their_value():
    values = np.array([-0.1, 0.123456, 2, np.nan])
    np.testing.assert_allclose(to_float(values), [0, 0.123456, 1, 0], rtol=1e-6)
    assert to_levels(to_float(values), np.float16).dtype == np.float16


def test_blocks_cover_pictures_of_any_shape():
    rng = np.random.default_rng(0)
    for shape in ((300, 401, 3), (1, 100_000, 3), (100_000, 1), (0, 3)):
        levels = rng.integers(0, 256, shape, np.uint8)
        np.testing.assert_array_equal(to_levels(to_float(levels), np.uint8), levels)
    turned = rng.integers(0, 65536, (300, 401, 3), np.uint16).swapaxes(0, 1)[::-1]
    np.testing.assert_array_equal(to_levels(to_float(turned), np.uint16), turned)
