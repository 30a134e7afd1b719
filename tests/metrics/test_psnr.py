import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from relume.metrics.psnr import psnr


def test_known_value():
    assert psnr(np.zeros((4, 4)), np.full((4, 4), 25.5)) == pytest.approx(20)


def test_uint8_differences_do_not_wrap_around():
    assert psnr(np.array([0, 255], np.uint8), np.array([255, 0], np.uint8)) == 0


def test_equal_pictures_are_infinitely_close():
    assert psnr(np.ones((3, 3)), np.ones((3, 3))) == math.inf


def test_agrees_with_scikit_image():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 17, 23, 3)).astype(np.uint8)
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b))
