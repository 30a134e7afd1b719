import math

import numpy as np
import pytest

from relume.degrade.resize import imresize
from relume.metrics.checkerboard import checkerboard, period_of


@pytest.fixture(scope="module")
def photo():
    """Smooth noise with a spectrum that falls as photographs' do, 160×200, levels of 255."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(160), np.fft.fftfreq(200), indexing="ij"))
    spectrum = np.fft.fft2(rng.standard_normal((3, 160, 200))) / np.maximum(frequency, 1 / 200)
    waves = np.fft.ifft2(spectrum).real.transpose(1, 2, 0)
    return 128 + 30 * waves / waves.std()


def pattern(period, shape=(160, 200)):
    """One pixel of every cell is bright; its root mean square is 1."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    dots = ((rows % period == 0) & (columns % period == 0)).astype(float)
    return ((dots - dots.mean()) / dots.std())[..., None]


def levels(values):
    return np.round(values.clip(0, 255)).astype(np.uint8)


@pytest.mark.parametrize("period", [2, 3, 4, 8])
@pytest.mark.parametrize("strength", [1.0, 4.0])
def test_it_is_the_strength_of_an_artificial_checkerboard(photo, period, strength):
    found = checkerboard(levels(photo + strength * pattern(period)), period)
    assert found == pytest.approx(strength, rel=0.3)


def test_the_chess_pattern_of_deconvolutions_counts_in_full(photo):
    rows, columns = np.ogrid[:160, :200]
    chess = 2.0 * (-1.0) ** (rows + columns)[..., None]
    assert checkerboard(levels(photo + chess), 2) == pytest.approx(2, rel=0.2)
    assert checkerboard(levels(photo + chess), 4) == pytest.approx(2, rel=0.2)  # 2 divides 4
    assert checkerboard(levels(photo + chess), 3) < 0.5


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_photographs_and_bicubic_enlargements_have_none(photo, period):
    assert checkerboard(levels(photo), period) < 0.7
    enlarged = imresize(levels(photo)[:80, :80] / np.float32(255), scale=period)
    assert checkerboard(enlarged, period) < 0.1


def test_one_channel_alone_counts_as_a_third_of_the_power(photo):
    coloured = photo + 6 * pattern(4) * np.array([1, 0, 0])
    assert checkerboard(levels(coloured), 4) == pytest.approx(6 / math.sqrt(3), rel=0.25)


def test_a_picture_smaller_than_a_window_has_no_value():
    assert math.isnan(checkerboard(np.zeros((31, 40, 3), np.uint8), 4))
    assert checkerboard(np.zeros((32, 32, 3), np.uint8), 4) == 0
    assert [period_of(scale) for scale in (1, 2, 4)] == [4, 2, 4]
