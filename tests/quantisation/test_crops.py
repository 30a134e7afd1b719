from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.card import ModelCard
from relume.errors import InputError
from relume.quantisation.crops import calibration_crops

CARD = ModelCard(name="a-x2", task="upscale", arch="none", scale=2, halo_px=0, size_multiple=7)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Smooth ones, one of black and white, and one that is too small."""
    folder = tmp_path_factory.mktemp("pictures")
    levels = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), np.uint8)
    for number, small in enumerate(levels):
        Image.fromarray(small).resize((220, 200), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    blocks = np.random.default_rng(1).integers(0, 2, (25, 25), np.uint8) * 255
    Image.fromarray(blocks.repeat(8, 0).repeat(8, 1)).convert("RGB").save(folder / "print.png")
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    return sorted(folder.iterdir())


def test_half_of_the_crops_have_the_strongest_edges(pictures: list[Path]):
    crops = calibration_crops(pictures, CARD, 8)
    assert [crop.shape for crop in crops] == [(1, 91, 91, 3)] * 8
    assert {crop.dtype for crop in crops} == {np.dtype(np.float32)}
    steps = [np.abs(np.diff(crop, axis=1)).max() for crop in crops]
    assert min(steps[:4]) > 0.5 > max(steps[-3:])


def test_they_are_the_same_every_time(pictures: list[Path]):
    for first, again in zip(*(calibration_crops(pictures, CARD, 3) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(first, again)


def test_without_a_picture_that_is_large_enough(pictures: list[Path]):
    with pytest.raises(InputError, match="both sides ≥ 182 px"):
        calibration_crops(pictures[-1:], CARD, 3)


def test_what_cannot_be_read_is_passed_over_and_told_once(
    pictures: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:200])
    assert len(calibration_crops([broken, pictures[0]], CARD, 3)) == 3
    assert [record.getMessage().count(str(broken)) for record in caplog.records] == [1]
    with pytest.raises(InputError, match="no picture can be used to calibrate; got 1 pictures"):
        calibration_crops([broken], CARD, 3)
