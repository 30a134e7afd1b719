import numpy as np
import pytest

from relume.degrade.noise import Noise

GREY = np.full((64, 64, 3), 0.5, np.float32)


def test_gaussian_noise_has_its_deviation_everywhere():
    step = Noise(gaussian=1, sigma=(10, 10), grey=0)
    for level in (0.3, 0.7):
        noise = step(GREY * 2 * level, np.random.default_rng(0)) - np.float32(level)
        assert noise.std() * 255 == pytest.approx(10, rel=0.03)
        assert abs(noise.mean()) * 255 < 0.5


@pytest.mark.parametrize("grey", [0, 1])
def test_photon_noise_has_a_poisson_distribution_s_variance(grey):
    step = Noise(gaussian=0, strength=(2, 2), grey=grey)
    for level in (0.1, 0.6):
        noise = step(GREY * 2 * level, np.random.default_rng(0)) - np.float32(level)
        assert noise.std() == pytest.approx(2 * (level / 255) ** 0.5, rel=0.05)
    assert np.array_equal(step(GREY * 0, np.random.default_rng(0)), GREY * 0)


@pytest.mark.parametrize("gaussian", [0, 1])
def test_grey_noise_keeps_grey_and_colour_noise_differs_between_channels(gaussian):
    in_grey = Noise(gaussian=gaussian, grey=1)(GREY, np.random.default_rng(0))
    assert np.ptp(in_grey, axis=2).max() < 1e-6 < in_grey.std()
    in_colour = Noise(gaussian=gaussian, grey=0)(GREY, np.random.default_rng(0))
    assert abs(np.corrcoef(in_colour[..., 0].ravel(), in_colour[..., 1].ravel())[0, 1]) < 0.1
