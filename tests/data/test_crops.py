import hashlib
import multiprocessing
import os
import signal
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from relume.data.crops import Crops, Positions, make_batches
from relume.data.frames import DecodedFrames, find_frames
from relume.data.pairing import Averaged, Degraded, Given
from relume.data.pairs import DecodedPairs
from relume.data.pictures import DecodedPictures, find_pictures
from relume.degrade.bicubic import Downsample
from relume.degrade.frames import FrameMean
from relume.degrade.motion import MotionBlur
from relume.degrade.resize import imresize
from relume.degrade.sharpen import Sharpen


@pytest.fixture
def pictures(photos) -> DecodedPictures:
    return DecodedPictures.decode(find_pictures([photos]), smallest_px=8)


def crops(pictures, crop_px=16, scale=4, **options) -> Crops:
    return Crops(pictures, Degraded(Downsample(scale), scale), crop_px, seed=7, **options)


def drawn_at(dataset, rng):
    """The picture, top and left of a random crop."""
    place = dataset._places.draw(rng)
    return dataset.pictures.pixels(place.index), place.top, place.left


def test_every_crop_is_equally_likely_and_offsets_reach_both_ends(pictures):
    drawn = crops(pictures, crop_px=32)
    total = sum((h - 31) * (w - 31) for h, w in pictures.shapes)
    seen = Counter()
    for position in range(8 * total):
        pixels, top, left = drawn_at(drawn, np.random.default_rng(position))
        seen[pixels.shape[:2], top, left] += 1
    assert len(seen) == pytest.approx(total, rel=0.01)
    assert max(seen.values()) < 30
    for height, width in pictures.shapes:
        assert seen[(height, width), 0, 0]
        assert seen[(height, width), height - 32, width - 32]


def test_a_picture_as_large_as_the_crop_has_one_crop(photos):
    single = DecodedPictures.decode([photos / "c.png"], smallest_px=48)
    lq, hq = crops(single, crop_px=48, augment=False)[0]
    assert np.array_equal(hq.numpy().transpose(1, 2, 0), single.pixels(0))
    assert lq.shape == (3, 12, 12)


def test_input_is_what_degrading_the_whole_picture_gives(pictures):
    drawn = crops(pictures, augment=False)
    for position in range(40):
        pixels, top, left = drawn_at(drawn, np.random.default_rng((7, position)))
        lq, hq = drawn[position]
        assert np.array_equal(hq.numpy().transpose(1, 2, 0), pixels[top : top + 16, left : left + 16])
        aligned = pixels[top % 4 :, left % 4 :]
        height, width = (side // 4 * 4 for side in aligned.shape[:2])
        unit = aligned[:height, :width].astype(np.float32) / np.float32(255)
        whole = imresize(unit, scale=1 / 4, intermediate="uint8")
        row, column = top // 4, left // 4
        expected = np.floor(whole[row : row + 4, column : column + 4] * 255 + 0.5)
        assert np.array_equal(lq.numpy().transpose(1, 2, 0), expected)


def test_input_and_target_are_turned_together(pictures):
    for position in range(16):
        lq, hq = crops(pictures, crop_px=32)[position]
        small = imresize(hq.numpy().transpose(1, 2, 0) / 255, scale=1 / 4)
        difference = np.abs(small[2:-2, 2:-2] - lq.numpy().transpose(1, 2, 0)[2:-2, 2:-2] / 255)
        assert difference.max() < 0.02


def test_items_depend_on_seed_and_position_only(pictures):
    first, again = crops(pictures), crops(pictures)
    assert all(torch.equal(a, b) for a, b in zip(first[5], again[5], strict=True))
    assert not torch.equal(first[5][1], first[6][1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_the_workers_at_work(pictures, number):
    batches = make_batches(crops(pictures), Positions(0, 20, batch_size=3), num_workers=1)
    next(batches)
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, number)
    assert len(list(batches)) == 19


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker processes")  # on one processor
@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_continue_where_a_run_stopped(pictures, num_workers):
    def batches(start, workers):
        return list(make_batches(crops(pictures), Positions(start, 6, batch_size=3), num_workers=workers))

    whole, rest = batches(0, 0), batches(4, num_workers)
    assert len(rest) == 2
    for expected, got in zip(whole[4:], rest, strict=True):
        assert torch.equal(expected[0], got[0])
        assert torch.equal(expected[1], got[1])


def test_motion_blur_at_scale_1_is_that_of_the_whole_picture(photos):
    whole = DecodedPictures.decode([photos / "c.png"], smallest_px=48)
    drawn = Crops(whole, Degraded(MotionBlur(length_px=9), 1), 12, seed=7, augment=False)
    for position in range(20):
        rng = np.random.default_rng((7, position))
        pixels, top, left = drawn_at(drawn, rng)
        blurred = MotionBlur(length_px=9)(pixels / np.float32(255), rng)[top : top + 12, left : left + 12]
        lq, hq = (tensor.numpy().transpose(1, 2, 0) for tensor in drawn[position])
        assert np.array_equal(hq, pixels[top : top + 12, left : left + 12])
        assert np.abs(lq - blurred * 255).max() < 0.51


def test_crops_of_pairs_are_aligned_and_turned_together(photos, tmp_path):
    sharp = find_pictures([photos])
    for path in sharp:
        Image.fromarray(np.asarray(Image.open(path)) // 2).save(tmp_path / path.name)
    pairs = DecodedPairs.decode([(tmp_path / path.name, path) for path in sharp], smallest_px=32)
    drawn = Crops(pairs, Given(), 32, seed=7)
    items = [drawn[position] for position in range(16)]
    assert all(torch.equal(lq, hq // 2) and hq.shape == (3, 32, 32) for lq, hq in items)
    assert len({hq.numpy().tobytes() for _, hq in items}) == 16


def test_crops_of_frames_are_means_around_the_middle_frame(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (8, 20, 24, 3), dtype=np.uint8)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{number:06}.png")
    film = DecodedFrames.decode(find_frames([tmp_path]), reach=2, smallest_px=20)
    drawn = Crops(film, Averaged(FrameMean((3, 5))), 16, seed=7, augment=False)
    seen = set()
    for position in range(40):
        lq, hq = (tensor.numpy().transpose(1, 2, 0) for tensor in drawn[position])
        place, reach = next(
            ((middle, top, left), reach)
            for middle in range(2, 6)
            for top in range(5)
            for left in range(9)
            for reach in (1, 2)
            if np.array_equal(hq, frames[middle, top : top + 16, left : left + 16])
            and np.abs(
                frames[middle - reach : middle + reach + 1, top : top + 16, left : left + 16].mean(0) - lq
            ).max()
            < 0.51
        )
        seen.add((place[0], reach))
    assert seen == {(middle, reach) for middle in range(2, 6) for reach in (1, 2)}


def test_sharpening_is_of_targets_only(pictures):
    plain, sharpened = crops(pictures, crop_px=32), crops(pictures, crop_px=32, sharpen=Sharpen(amount=1))
    for position in range(4):
        (lq, hq), (same, sharp) = plain[position], sharpened[position]
        assert torch.equal(lq, same)
        assert sharp.float().std() > 1.05 * hq.float().std()


class EverySecond:
    """A degradation in whole numbers, the same on every machine: every second pixel from a random one on."""

    margin_px = 4

    def __call__(self, image, rng):
        top, left = rng.integers(2, size=2)
        return image[top::2, left::2]


def degraded(photos):
    decoded = DecodedPictures.decode(find_pictures([photos]), smallest_px=16)
    return Crops(decoded, Degraded(EverySecond(), 2), 16, seed=7)


def given(photos):
    whole = photos / "c.png"
    return Crops(DecodedPairs.decode([(whole, whole)], smallest_px=16), Given(), 16, seed=7)


def averaged(photos):
    rng = np.random.default_rng(1)
    (photos / "film").mkdir()
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(photos / f"film/{number}.png")
    frames = DecodedFrames.decode(find_frames([photos / "film"]), reach=2, smallest_px=16)
    return Crops(frames, Averaged(FrameMean((3, 5))), 16, seed=7)


@pytest.mark.parametrize(
    ("make", "crops_are", "data_are"),
    [
        (degraded, "021171145705268b", "dc06392823c45abe"),
        (given, "63ffd6fa62fa5429", "094904c418d7ebc7"),
        (averaged, "1268c79d23ac0b76", "c78f1e63af660a7d"),
    ],
)
def test_crops_and_fingerprints_are_those_of_runs_that_have_begun(make, crops_are, data_are, photos):
    """Hashes of before there was one dataset for all: such runs must go on as if nothing had changed."""
    dataset, digest = make(photos), hashlib.sha256()
    for position in range(40):
        for tensor in dataset[position]:
            digest.update(tensor.numpy().tobytes())
    assert digest.hexdigest()[:16] == crops_are
    assert dataset.pictures.fingerprint[:16] == data_are
