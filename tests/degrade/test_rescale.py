import numpy as np
import pytest

from relume.degrade.rescale import DEFAULT_KERNELS, Rescale, draw_resized
from relume.degrade.resize import imresize


def test_factors_have_their_chances_and_ranges():
    factors = np.array([Rescale().draw_factor(np.random.default_rng(seed)) for seed in range(1000)])
    assert 0.15 < (factors > 1).mean() < 0.25
    assert 0.65 < (factors < 1).mean() < 0.75
    assert 0.15 <= factors.min() < 0.2
    assert 1.4 < factors.max() <= 1.5


@pytest.mark.parametrize("kernel", DEFAULT_KERNELS)
@pytest.mark.parametrize("antialias", [0.0, 1.0])
@pytest.mark.parametrize("size", [(41, 29), (131, 147), (128, 60)])
def test_resizing_moves_nothing(kernel, antialias, size):
    """A ramp stays where it is: every pixel keeps its relative place, whatever the two sizes."""
    height, width = size
    ramp = np.linspace(0.5 / 96, 1 - 0.5 / 96, 96, dtype=np.float32)
    image = np.broadcast_to(ramp[None, :, None], (128, 96, 3))
    resized = draw_resized(image, size, (kernel,), antialias, np.random.default_rng(0))
    expected = (np.arange(width) + 0.5) / width
    inside = slice(width // 12, -(width // 12))
    assert resized.shape == (height, width, 3)
    assert np.abs(resized[:, inside] - expected[inside, None]).max() < 1e-3


def test_area_is_the_mean_of_what_a_pixel_covers():
    rng = np.random.default_rng(0)
    image = rng.random((10, 12, 3))
    cumulated = np.concatenate([np.zeros((1, 12, 3)), image.cumsum(0)])
    ends = np.arange(8) * 10 / 7
    whole = np.minimum(ends.astype(int), 9)
    sums = cumulated[whole] + (ends - whole)[:, None, None] * image[whole]
    expected = np.diff(sums, axis=0) * 7 / 10
    assert np.allclose(imresize(image, height=7, width=12, kernel="area"), expected)
    assert np.allclose(
        imresize(image, scale=0.5, kernel="area"), image.reshape(5, 2, 6, 2, 3).mean(axis=(1, 3))
    )


def test_without_antialiasing_fine_stripes_alias_and_with_it_they_are_grey():
    stripes = np.zeros((40, 40, 3), np.float32)
    stripes[:, ::2] = 1
    for kernel, antialias, aliases in (("bilinear", 0, True), ("bilinear", 1, False), ("area", 0, False)):
        small = draw_resized(stripes, (10, 11), (kernel,), antialias, np.random.default_rng(0))
        assert (np.abs(small - 0.5).max() > 0.3) == aliases
