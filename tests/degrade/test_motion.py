import numpy as np
import pytest

from relume.degrade.motion import MotionBlur, convolve, rasterize


def kernels(count=100, **options):
    rng = np.random.default_rng(0)
    return [MotionBlur(**options).draw_kernel(rng) for _ in range(count)]


def centre_of_mass(kernel):
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    return kernel.sum(axis=0) @ offsets, kernel.sum(axis=1) @ offsets


def test_kernels_keep_brightness_and_place_and_fit_the_margin():
    for length in (1.0, 7.3, 40.0):
        for kernel in kernels(length_px=length):
            assert kernel.sum() == pytest.approx(1, abs=1e-5)
            assert kernel.min() >= 0
            assert centre_of_mass(kernel) == pytest.approx((0, 0), abs=1e-4)
            assert len(kernel) % 2 == 1
            assert len(kernel) // 2 <= MotionBlur(length_px=length).margin_px


def test_paths_have_the_length_of_their_exposure():
    blur = MotionBlur(length_px=30, exposure=(0.5, 0.5), anxiety=0.005)
    path = blur.draw_path(np.random.default_rng(0))
    assert np.abs(np.diff(path, prepend=0)).sum() == pytest.approx(15)


def test_without_anxiety_paths_are_straight_and_with_it_they_bend():
    def straightness(anxiety):
        rng = np.random.default_rng(0)
        blur = MotionBlur(exposure=(1, 1), anxiety=anxiety)
        return [abs(blur.draw_path(rng)[-1]) / blur.length_px for _ in range(50)]

    assert min(straightness(0)) == pytest.approx(1)
    assert np.mean(straightness(0.003)) < 0.8
    assert np.mean(straightness(0.01)) < np.mean(straightness(0.003))


def test_directions_are_spread_evenly():
    rng = np.random.default_rng(0)
    ends = np.array([MotionBlur(anxiety=0).draw_path(rng)[-1] for _ in range(1000)])
    assert abs(np.mean(ends / np.abs(ends))) < 0.07


def test_a_path_between_pixels_gets_bilinear_weights():
    assert rasterize(np.array([3 + 4j])) == pytest.approx(np.pad([[1.0]], 1))
    horizontal = rasterize(np.array([0, 0.5, 1.0]))
    assert horizontal[1] == pytest.approx(np.array([0.5, 2, 0.5]) / 3)
    vertical = rasterize(np.array([0, 0.5j, 1j]))
    assert vertical == pytest.approx(horizontal.T)


def test_convolution_is_the_sum_of_shifted_pictures():
    rng = np.random.default_rng(0)
    picture = rng.random((23, 31, 3)).astype(np.float32)
    kernel = rng.random((7, 7)).astype(np.float32)
    kernel /= kernel.sum()
    padded = np.pad(picture, ((3, 3), (3, 3), (0, 0)), mode="symmetric")
    expected = sum(
        kernel[3 + y, 3 + x] * padded[3 - y : 26 - y, 3 - x : 34 - x]
        for y in range(-3, 4)
        for x in range(-3, 4)
    )
    blurred = convolve(picture, kernel)
    assert blurred.dtype == np.float32
    assert blurred == pytest.approx(expected, abs=1e-5)


def test_margin_covers_the_kernel():
    picture = np.random.default_rng(0).random((120, 130, 3)).astype(np.float32)
    blur = MotionBlur(length_px=30)
    margin = blur.margin_px
    for seed in range(10):
        whole = blur(picture, np.random.default_rng(seed))
        context = picture[40 - margin : 80 + margin, 40 - margin : 80 + margin]
        part = blur(context, np.random.default_rng(seed))
        assert part[margin:-margin, margin:-margin] == pytest.approx(whole[40:80, 40:80], abs=1e-5)


def test_pictures_smaller_than_the_kernel_are_blurred_too():
    flat = np.full((4, 5, 3), 0.3, np.float32)
    assert MotionBlur()(flat, np.random.default_rng(0)) == pytest.approx(0.3, abs=1e-5)
