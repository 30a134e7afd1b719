import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from relume.errors import InputError
from relume.metrics.niqe import NUM_FEATURES, NaturalStatistics, fit_aggd, niqe, normalise, patch_features


@pytest.fixture(scope="module")
def photographs() -> NaturalStatistics:
    return NaturalStatistics.load()


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Not a photograph, but with detail everywhere."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_normalised_values_are_those_of_the_formula():
    """At the centre of a 7×7 picture the window covers it all: eqs. 1 to 3 with weights made by hand."""
    grey = np.random.default_rng(0).integers(0, 256, (7, 7)).astype(float)
    offsets = np.arange(-3, 4)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (7 / 6) ** 2))
    weights /= weights.sum()
    mean = (weights * grey).sum()
    deviation = math.sqrt((weights * (grey - mean) ** 2).sum())
    assert normalise(grey)[3, 3] == pytest.approx((grey[3, 3] - mean) / (deviation + 1))


def test_a_constant_added_to_a_picture_does_not_change_its_normalised_values():
    grey = np.random.default_rng(0).integers(0, 100, (20, 30)).astype(float)
    np.testing.assert_allclose(normalise(grey + 50), normalise(grey), atol=1e-6)
    assert np.abs(normalise(np.full((9, 9), 70.0))).max() < 1e-4


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (1.0, 2.5), (3.0, 0.5)])
def test_parameters_of_samples_are_found_again(shape: float, left: float, right: float):
    """|x|/β to the power α follows a gamma distribution, and a side's mass is proportional to its β."""
    rng = np.random.default_rng(1)
    size = rng.gamma(1 / shape, size=100_000) ** (1 / shape)
    samples = np.where(rng.random(100_000) < left / (left + right), -left * size, right * size)
    assert np.concatenate(fit_aggd(samples[None])) == pytest.approx((shape, left, right), rel=0.1)


def test_a_normal_distribution_has_shape_two():
    shape, left, right = fit_aggd(np.random.default_rng(0).normal(0, 3, (2, 50_000)))
    assert shape == pytest.approx([2, 2], rel=0.03)
    assert np.stack([left, right]) / math.sqrt(2) == pytest.approx(np.full((2, 2), 3), rel=0.03)


def test_features_are_one_row_a_whole_patch():
    features, sharpness = patch_features(noise(200, 300))
    assert features.shape == (2 * 3, NUM_FEATURES)
    assert (sharpness > 0).all()
    np.testing.assert_array_equal(features, patch_features(noise(200, 300)[:192, :288])[0])


def test_mirrored_pictures_have_mirrored_diagonals():
    features, _ = patch_features(noise(96, 192)[:, :96])
    mirrored, _ = patch_features(noise(96, 192)[:, 95::-1])
    order = np.arange(NUM_FEATURES).reshape(2, 18)
    order[:, 10:18] = order[:, [14, 15, 16, 17, 10, 11, 12, 13]]
    np.testing.assert_allclose(mirrored, features[:, order.ravel()], rtol=0.02)


def test_distance_is_that_of_the_formula(photographs):
    """Eq. 10, solved instead of inverted."""
    features, _ = patch_features(noise(384, 768))
    difference = features.mean(axis=0) - photographs.mean
    pooled = (np.cov(features.T) + photographs.covariance) / 2
    expected = math.sqrt(difference @ np.linalg.solve(pooled, difference))
    assert niqe(noise(384, 768), photographs) == pytest.approx(expected, rel=1e-6)


def test_patches_without_detail_do_not_count(photographs):
    picture = noise(192, 288)
    burnt = np.concatenate([picture, np.full((96, 288, 3), 255, np.uint8)])
    assert niqe(burnt, photographs) == pytest.approx(niqe(picture, photographs), rel=0.2)


@pytest.mark.parametrize("shape", [(95, 300), (96, 96), (96, 191), (1, 1)])
def test_too_small_pictures_have_no_score(photographs, shape):
    assert math.isnan(niqe(noise(*shape), photographs))


def test_flat_pictures_have_no_score(photographs):
    assert math.isnan(niqe(np.full((300, 300, 3), 128, np.uint8), photographs))


def blurred(picture: Image.Image, radius: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(radius))


def noisy(picture: Image.Image, sigma: float) -> Image.Image:
    pixels = np.asarray(picture)
    pixels = pixels + np.random.default_rng(0).normal(0, sigma, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def compressed(picture: Image.Image, loss: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=100 - loss)
    return Image.open(buffer)


@pytest.mark.parametrize(
    ("damage", "amounts"), [(blurred, (0, 1, 3)), (noisy, (0, 10, 40)), (compressed, (20, 80, 95))]
)
def test_the_worse_the_picture_the_higher_the_score(
    photographs, shared_data: Path, damage: Callable[..., Image.Image], amounts: tuple[float, ...]
):
    paths = sorted((shared_data / "eval/BSD100").glob("*.png"))[:3]
    pictures = [Image.open(path).convert("RGB") for path in paths]
    scores = [
        np.mean([niqe(np.asarray(damage(picture, amount)), photographs) for picture in pictures])
        for amount in amounts
    ]
    assert scores == sorted(scores)
    assert scores[-1] > 2 * scores[0]


def test_parameters_survive_their_file(photographs, tmp_path: Path):
    photographs.save(tmp_path / "a.npz")
    again = NaturalStatistics.load(tmp_path / "a.npz")
    assert (again.digest, again.about) == (photographs.digest, photographs.about)


def test_shipped_parameters_say_where_they_come_from(photographs):
    assert photographs.about["num_pictures"] > 500
    assert photographs.about["num_patches"] > 3000
    assert any("BSDS500" in licence for licence in photographs.about["licences"])
    assert np.linalg.eigvalsh(photographs.covariance).min() > 0


def test_other_files_are_no_parameters(tmp_path: Path):
    np.savez(tmp_path / "wrong.npz", mean=np.zeros(3), covariance=np.eye(3), about=np.array("{}"))
    np.savez(tmp_path / "lacking.npz", mean=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "wrong.npz").read_bytes()[:300])
    for path in (*tmp_path.iterdir(), tmp_path / "missing.npz"):
        with pytest.raises(InputError, match=r"holds no parameters of NIQE; got .*relume data fit-niqe"):
            NaturalStatistics.load(path)
