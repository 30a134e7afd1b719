import numpy as np
import pytest

from relume.errors import UsageError
from relume.image.transparency import fill_transparent, flatten

SHAPES = [(64, 64), (37, 53), (1, 9), (5, 1), (2, 3)]


def cut_out(shape, seed=0):
    """Random colours, three quarters of the pixels fully transparent, the others more or less opaque."""
    rng = np.random.default_rng(seed)
    alpha = rng.random(shape, np.float32) * (rng.random(shape) < 0.25)
    alpha.flat[0] = 0.5
    return rng.random((*shape, 3), np.float32), alpha


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_visible_stays_and_the_rest_is_between_visible_colours(shape):
    pixels, alpha = cut_out(shape)
    visible = alpha > 0
    filled = fill_transparent(pixels.copy(), alpha)
    np.testing.assert_array_equal(filled[visible], pixels[visible])
    for channel in range(3):
        seen = pixels[..., channel][visible]
        assert filled[..., channel].min() >= seen.min() - 1e-6
        assert filled[..., channel].max() <= seen.max() + 1e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_one_visible_colour_goes_everywhere(shape):
    _, alpha = cut_out(shape)
    colour = np.float32([0.9, 0.2, 0.4])
    pixels = np.where(alpha[..., None] > 0, colour, 0)
    np.testing.assert_allclose(
        fill_transparent(pixels, alpha), np.broadcast_to(colour, (*shape, 3)), atol=1e-6
    )


def test_the_nearest_colour_wins():
    pixels, alpha = np.zeros((32, 64, 1), np.float32), np.zeros((32, 64), np.float32)
    alpha[:, :8] = alpha[:, 56:] = 1
    pixels[:, :8] = 1
    filled = fill_transparent(pixels, alpha)[..., 0]
    assert filled[:, 8:12].min() > 0.9
    assert filled[:, 52:56].max() < 0.1


def test_faint_pixels_count_little():
    pixels, alpha = np.zeros((2, 2, 1), np.float32), np.float32([[1, 0.01], [0, 0]])
    pixels[0, 0] = 1
    assert fill_transparent(pixels, alpha)[1].min() > 0.98


@pytest.mark.parametrize("alpha", [0, 1])
def test_nothing_or_all_visible_changes_nothing(alpha):
    pixels, _ = cut_out((8, 8))
    filled = fill_transparent(pixels.copy(), np.full((8, 8), alpha, np.float32))
    np.testing.assert_array_equal(filled, pixels)


def test_flatten_lays_over_the_background():
    pixels, alpha = np.zeros((1, 3, 3), np.float32), np.float32([[0, 0.5, 1]])
    np.testing.assert_allclose(flatten(pixels, alpha, "white")[0, :, 0], [1, 0.5, 0])
    np.testing.assert_allclose(flatten(pixels, alpha, (51, 0, 102))[0, 0], [0.2, 0, 0.4])
    with pytest.raises(UsageError, match="unknown background colour; got beige-ish"):
        flatten(pixels, alpha, "beige-ish")
