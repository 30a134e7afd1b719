from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.degrade.resize import imresize
from relume.errors import UsageError
from relume.metrics.luma import luma
from relume.metrics.protocol import PROTOCOLS, find_protocol, score, to_uint8
from relume.metrics.psnr import psnr
from relume.metrics.ssim import ssim_daala, ssim_matlab, ssim_skimage7


def pictures(height: int = 40, width: int = 52) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    hq = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    sr = (hq + rng.normal(0, 10, hq.shape)).clip(0, 255).round().astype(np.uint8)
    return sr, hq


def rounded_y(picture: np.ndarray) -> np.ndarray:
    return np.round(luma(picture / 255))


BY_HAND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "matlab": lambda picture: rounded_y(picture)[3:-3, 3:-3],
    "skimage7": lambda picture: luma(picture / 255)[4:-4, 4:-4],
    "daala": lambda picture: rounded_y(picture)[4:-4, 4:-4],
    "rgb": lambda picture: picture,
}
SSIM = {"matlab": ssim_matlab, "skimage7": ssim_skimage7, "daala": ssim_daala, "rgb": ssim_matlab}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_score_is_what_the_protocol_says(name: str):
    a, b = (BY_HAND[name](picture) for picture in pictures())
    assert score(*pictures(), scale=3, protocol=name) == pytest.approx((psnr(a, b), SSIM[name](a, b)))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_smallest_picture_can_be_scored(name: str):
    side = PROTOCOLS[name].smallest_px(4)
    assert np.isfinite(score(*pictures(side, side), scale=4, protocol=name)).all()


def test_floating_point_is_scored_as_its_file():
    sr, hq = pictures()
    almost = sr / np.float32(255) + np.float32(0.001)
    assert score(almost, hq / np.float32(255), scale=2) == score(sr, hq, scale=2)


def test_to_uint8_clips_and_rounds():
    np.testing.assert_array_equal(to_uint8(np.array([-0.2, 0.4 / 255, 0.6 / 255, 1.7])), [0, 0, 1, 255])


def test_nothing_is_shaved_by_scale_when_deblurring():
    assert PROTOCOLS["matlab"].shave_px(1) == 0


def test_unknown_protocol_is_named_with_the_known_ones():
    with pytest.raises(UsageError, match="got psnr-y; allowed: matlab, skimage7, daala, rgb"):
        find_protocol("psnr-y")


@pytest.mark.parametrize(
    ("scale", "published"), [(2, (33.66, 0.9299)), (3, (30.39, 0.8682)), (4, (28.42, 0.8104))]
)
def test_published_bicubic_rows_of_set5(shared_data: Path, scale: int, published: tuple[float, float]):
    """To the last printed digit, when Y alone is resized, as the authors' MATLAB scripts do."""

    def bicubic(path: Path) -> tuple[float, float]:
        rgb = np.asarray(Image.open(path).convert("RGB")) / 255
        height, width = (side // scale * scale for side in rgb.shape[:2])
        y = np.round(luma(rgb[:height, :width]))
        enlarged = np.round(imresize(imresize(y / 255, scale=1 / scale), scale=scale) * 255)
        a, b = (picture[scale:-scale, scale:-scale] for picture in (enlarged, y))
        return psnr(a, b), ssim_matlab(a, b)

    measured = np.mean([bicubic(path) for path in sorted((shared_data / "eval/Set5").glob("*.png"))], axis=0)
    assert (round(measured[0], 2), round(measured[1], 4)) == published
