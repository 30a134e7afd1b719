from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError
from relume.evaluate.niqe import fit_niqe, sharp_features
from relume.metrics.niqe import patch_features


def photograph(path: Path, seed: int = 0, side: int = 384) -> Path:
    """Noise, the right half of it blurred."""
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)
    soft = Image.fromarray(pixels[::8, side // 2 :: 8]).resize((side - side // 2, side))
    pixels[:, side // 2 :] = np.asarray(soft)
    Image.fromarray(pixels).save(path)
    return path


def test_only_sharp_patches_count(tmp_path: Path):
    path = photograph(tmp_path / "set/a.png")
    features, sharpness = patch_features(np.asarray(Image.open(path)))
    sharp = sharp_features(path)
    assert len(features) == 16
    assert len(sharp) == 8
    np.testing.assert_array_equal(sharp, features[sharpness > 0.75 * sharpness.max()])


def test_fit_is_mean_and_covariance_of_all_sharp_patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relume.evaluate.niqe.FEWEST_PATCHES", 40)
    paths = [photograph(tmp_path / f"set/{seed}.png", seed) for seed in range(6)]
    (tmp_path / "set/broken.png").write_bytes(b"not a picture")
    seen: list[tuple[int, int, str]] = []
    fit = fit_niqe([tmp_path / "set"], licences=["mine: CC0"], progress=lambda *step: seen.append(step))
    features = np.concatenate([sharp_features(path) for path in paths])
    np.testing.assert_allclose(fit.statistics.mean, features.mean(axis=0))
    np.testing.assert_allclose(fit.statistics.covariance, np.cov(features.T))
    about = fit.statistics.about
    assert (about["num_pictures"], about["num_patches"]) == (6, len(features))
    assert about["licences"] == ["mine: CC0"]
    assert list(fit.skipped) == [str(tmp_path / "set/broken.png")]
    assert seen[-1] == (7, 7, "broken.png")


def test_too_few_patches_are_refused(tmp_path: Path):
    photograph(tmp_path / "set/a.png")
    with pytest.raises(InputError, match=r"too few sharp patches .*; got \d+; allowed: 360 or more"):
        fit_niqe([tmp_path / "set"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures found"):
        fit_niqe([tmp_path / "empty"])
