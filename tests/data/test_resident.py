import numpy as np
import pytest
import torch

from relume.data.crops import Crops, Positions, make_batches
from relume.data.pairing import Degraded
from relume.data.pictures import DecodedPictures
from relume.data.resident import DrawnPlaces, ResidentPictures
from relume.degrade.bicubic import Downsample
from relume.degrade.motion import MotionBlur
from relume.errors import UsageError

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture
def pictures(tmp_path):
    """Three pictures, one no larger than a crop, two with sides that are no multiples of 4."""
    files, shapes = [], [(24, 24), (37, 51), (50, 29)]
    for number, shape in enumerate(shapes):
        files.append(tmp_path / f"{number}.npy")
        pixels = np.random.default_rng(number).integers(0, 256, (*shape, 3), np.uint8)
        np.save(files[-1], pixels)
    return DecodedPictures(tuple(files), tuple(shapes))


def both(crops, device="cpu", number=300):
    """Inputs and targets of the first positions, from the processor and from the device."""
    positions = Positions(0, 1, number)
    expected = next(make_batches(crops, positions, num_workers=0))
    places = next(make_batches(DrawnPlaces(crops), positions, num_workers=0))
    found = ResidentPictures(crops, torch.device(device)).cut(places)
    return [(e, f.cpu()) for e, f in zip(expected, found, strict=True)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("scale", "kernel", "augment", "ties"),
    [
        (4, "bicubic", True, 0.001),
        (2, "bicubic", False, 0.005),
        (3, "bilinear", True, 0.01),
        (4, "box", True, 0.2),
    ],
)
def test_crops_are_those_of_the_processor(pictures, scale, kernel, augment, ties, device):
    """Up to the border. Inputs to a level, for as many as lie between two: weights of a quarter make many."""
    pairing = Degraded(Downsample(scale, kernel), scale)
    crops = Crops(pictures, pairing, crop_px=24, seed=5, augment=augment)
    (lq, lq_found), (hq, hq_found) = both(crops, device)
    assert torch.equal(hq, hq_found)
    difference = (lq.int() - lq_found.int()).abs()
    assert difference.max() <= 1
    assert (difference > 0).float().mean() <= ties


def test_other_degradations_are_refused(pictures):
    with pytest.raises(UsageError, match="on the device crops can only be shrunk"):
        ResidentPictures(Crops(pictures, Degraded(MotionBlur(), 1), 24, seed=0), torch.device("cpu"))
