from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.degrade.resize import imresize
from relume.errors import InputError, UsageError
from relume.evaluate.datasets import fingerprint, open_dataset
from relume.metrics.protocol import to_uint8


def digest(folder: Path, scale: int = 4) -> str:
    return fingerprint([pair.digest for pair in open_dataset(folder, scale)])


def test_sharp_pictures_are_cropped_and_shrunk(tmp_path, draw):
    path = draw("set/a.png", size=(50, 43))
    (pair,) = open_dataset(tmp_path / "set", scale=4)
    assert (pair.lq.shape, pair.lq.dtype) == ((10, 12, 3), np.uint8)
    np.testing.assert_array_equal(pair.hq, np.asarray(Image.open(path))[:40, :48])


def test_pictures_come_in_the_order_of_their_names_and_other_files_are_passed_over(tmp_path, draw):
    for name in ("b.png", "a.png", "c.jpg"):
        draw(f"set/{name}")
    (tmp_path / "set/SOURCES.csv").write_text("a.png,public domain")
    assert [pair.name for pair in open_dataset(tmp_path / "set", scale=2)] == ["a", "b", "c"]


def test_grey_pictures_become_rgb(tmp_path, draw):
    draw("set/a.png", mode="L")
    (pair,) = open_dataset(tmp_path / "set", scale=2)
    assert pair.hq.shape == (42, 48, 3)
    assert np.ptp(pair.hq, axis=2).max() == 0


def test_given_pairs_are_matched_by_name(tmp_path, draw):
    for seed, name in enumerate(("b.png", "a.png")):
        draw(f"set/A/{name}", seed)
        draw(f"set/B/{name}", seed)
    dataset = open_dataset(tmp_path / "set", scale=1)
    assert [pair.name for pair in dataset] == ["a", "b"]
    for pair in dataset:
        np.testing.assert_array_equal(pair.lq, pair.hq)


def test_given_pairs_may_differ_by_the_scale(tmp_path, draw):
    draw("set/A/a.png", size=(12, 10))
    draw("set/B/a.png", size=(24, 20))
    (pair,) = open_dataset(tmp_path / "set", scale=2)
    assert (pair.lq.shape, pair.hq.shape) == ((10, 12, 3), (20, 24, 3))
    with pytest.raises(InputError, match=r"got 24×20; allowed: 36×30 at scale 3"):
        list(open_dataset(tmp_path / "set", scale=3))


def test_orphans_are_refused(tmp_path, draw):
    for name in ("A/a.png", "B/a.png", "A/b.png", "B/c.png"):
        draw(f"set/{name}")
    with pytest.raises(InputError, match=r"2 pictures .* no partner; got A/b\.png, B/c\.png"):
        open_dataset(tmp_path / "set", scale=1)


def test_pairs_may_have_different_suffixes(tmp_path, draw):
    draw("set/A/a.jpg"), draw("set/B/a.png")
    (pair,) = open_dataset(tmp_path / "set", scale=1)
    assert pair.name == "a"


def test_pairs_are_reduced_by_the_antialiased_resizer(tmp_path, draw):
    for seed, path in enumerate(("set/A/a.png", "set/B/a.png")):
        draw(path, seed, size=(80, 60))
    (whole,) = open_dataset(tmp_path / "set", scale=1)
    (pair,) = open_dataset(tmp_path / "set", scale=1, size=(40, 30))
    for reduced, picture in ((pair.lq, whole.lq), (pair.hq, whole.hq)):
        np.testing.assert_array_equal(reduced, to_uint8(imresize(picture / np.float32(255), scale=0.5)))
    assert pair.digest == whole.digest
    (same,) = open_dataset(tmp_path / "set", scale=1, size=(80, 60))
    np.testing.assert_array_equal(same.hq, whole.hq)


@pytest.mark.parametrize("size", [(40, 40), (160, 120)])
def test_a_size_neither_distorts_nor_enlarges(tmp_path, draw, size):
    draw("set/A/a.png", size=(80, 60)), draw("set/B/a.png", size=(80, 60))
    with pytest.raises(InputError, match=r"cannot be reduced to .*; got 80×60; allowed: the same"):
        list(open_dataset(tmp_path / "set", scale=1, size=size))


def test_only_pairs_for_deblurring_are_reduced(tmp_path, draw):
    with pytest.raises(UsageError, match="only pairs at scale 1"):
        open_dataset(draw("set/a.png").parent, scale=2, size=(40, 30))


def test_scale_one_needs_pairs(tmp_path, draw):
    draw("set/a.png")
    with pytest.raises(InputError, match="no pairs"):
        open_dataset(tmp_path / "set", scale=1)


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(InputError, match="no data folder"):
        open_dataset(tmp_path / "nowhere", scale=4)
    with pytest.raises(InputError, match="no pictures in"):
        open_dataset(tmp_path, scale=4)


def test_unreadable_pictures_are_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"broken\.png"):
        list(open_dataset(tmp_path, scale=4))


def test_pictures_smaller_than_the_scale_are_refused(tmp_path, draw):
    draw("set/a.png", size=(3, 40))
    with pytest.raises(InputError, match=r"a\.png is too small; got 3×40"):
        list(open_dataset(tmp_path / "set", scale=4))


def test_fingerprint_knows_pixels_not_names_or_scale(tmp_path, draw):
    draw("one/a.png", 1), draw("one/b.png", 2)
    draw("two/x.png", 2), draw("two/y.bmp", 1)
    draw("other/a.png", 1), draw("other/b.png", 3)
    assert digest(tmp_path / "one") == digest(tmp_path / "two") == digest(tmp_path / "one", scale=3)
    assert digest(tmp_path / "one") != digest(tmp_path / "other")
