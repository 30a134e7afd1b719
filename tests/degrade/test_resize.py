import numpy as np
import pytest
from PIL import Image

from relume.degrade.resize import imresize

# MATLAB R2023b: imresize([0 0 0 1 1 1 1 0], [1 4]) computed by hand from the documented algorithm:
# antialiased Keys kernel (a = −0.5) stretched by 2, mirrored edges.
STEP = np.array([[0, 0, 0, 1, 1, 1, 1, 0]], dtype=np.float64)


def keys(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def test_shrinking_is_the_stretched_kernel_with_mirrored_edges():
    mirrored = np.concatenate([STEP[0, ::-1], STEP[0], STEP[0, ::-1]])
    expected = []
    for column in range(4):
        centre = 2 * column + 0.5
        weights = [keys((centre - (i - 8)) / 2) / 2 for i in range(24)]
        expected.append(np.dot(weights, mirrored) / np.sum(weights))
    assert imresize(STEP, height=1, width=4)[0] == pytest.approx(expected, abs=1e-12)


def test_enlarging_interpolates_without_stretching():
    ramp = np.arange(8, dtype=np.float64)[None] / 8
    enlarged = imresize(ramp, height=1, width=32)
    inner = np.arange(32)[12:20] * 0.25 - 0.375
    assert enlarged[0, 12:20] == pytest.approx(inner / 8, abs=1e-12)


def test_flat_pictures_stay_flat():
    flat = np.full((37, 53, 3), 0.3, dtype=np.float32)
    for kernel in ("bicubic", "bilinear", "box"):
        assert imresize(flat, scale=1 / 4, kernel=kernel) == pytest.approx(0.3, abs=1e-6)


def test_output_sides_are_rounded_up():
    picture = np.zeros((37, 50, 3))
    assert imresize(picture, scale=0.25).shape == (10, 13, 3)
    assert imresize(picture, height=5, width=101).shape == (5, 101, 3)


def test_uint8_intermediates_are_whole_levels():
    picture = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    levels = imresize(picture, scale=0.25, intermediate="uint8") * 255
    assert np.abs(levels - levels.round()).max() < 1e-4
    assert levels.min() >= 0
    assert levels.max() <= 255.001


def test_box_is_the_mean():
    picture = np.random.default_rng(0).random((16, 12, 3))
    expected = picture.reshape(4, 4, 3, 4, 3).mean(axis=(1, 3))
    assert imresize(picture, scale=0.25, kernel="box") == pytest.approx(expected, abs=1e-12)


def test_golden_bicubic_psnr_of_set5(shared_data):
    scores = []
    for path in sorted((shared_data / "eval" / "Set5").glob("*.png")):
        hq = np.asarray(Image.open(path).convert("RGB"), dtype=np.float64) / 255
        lq = imresize(hq, scale=1 / 4, intermediate="uint8")
        sr = imresize(lq, scale=4.0, intermediate="uint8")
        luma = ((hq - sr) @ np.array([65.481, 128.553, 24.966]))[4:-4, 4:-4]
        scores.append(10 * np.log10(255**2 / np.mean(luma**2)))
    assert np.mean(scores) == pytest.approx(28.42, abs=0.01)
