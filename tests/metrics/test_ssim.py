import numpy as np
import pytest
from skimage.metrics import structural_similarity

from relume.metrics.ssim import ssim_daala, ssim_matlab, ssim_skimage7

VARIANTS = [ssim_matlab, ssim_skimage7, ssim_daala]
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def pictures(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture, and the same with noise."""
    rng = np.random.default_rng(1)
    ramp = np.add.outer(np.arange(shape[0]), 2 * np.arange(shape[1])) % 200
    sharp = np.broadcast_to(ramp.reshape(shape[:2] + (1,) * (len(shape) - 2)), shape)
    noisy = (sharp + rng.normal(0, 20, shape)).clip(0, 255)
    return sharp.astype(np.uint8), noisy.astype(np.uint8)


@pytest.mark.parametrize(("ssim", "options"), [(ssim_matlab, GAUSSIAN), (ssim_skimage7, {})])
@pytest.mark.parametrize("shape", [(11, 11), (40, 57), (30, 41, 3)])
def test_agrees_with_scikit_image(ssim, options, shape):
    a, b = pictures(*shape)
    channel_axis = 2 if len(shape) == 3 else None
    expected = structural_similarity(a, b, data_range=255, channel_axis=channel_axis, **options)
    assert 0 < expected < 0.95
    assert ssim(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((9, 14), 0.6492143241375), ((40, 9), 0.7438492790466), ((300, 200), 0.2701610060314)],
)
def test_daala_agrees_with_the_codecs_own_tool(shape, expected):
    """Expected: what ``dump_ssim`` of the Daala repository computes for these pictures."""
    a, b = pictures(*shape)
    assert ssim_daala(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ssim", VARIANTS)
def test_equal_pictures_score_one(ssim):
    a, _ = pictures(20, 30)
    assert ssim(a, a) == pytest.approx(1)


@pytest.mark.parametrize("ssim", VARIANTS)
def test_channels_count_equally(ssim):
    a, b = pictures(30, 41, 3)
    alone = [ssim(a[..., channel], b[..., channel]) for channel in range(3)]
    assert ssim(a, b) == pytest.approx(np.mean(alone))
