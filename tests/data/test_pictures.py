import json
import os

import numpy as np
import pytest
from PIL import Image

from relume.data.pictures import DecodedPictures, find_pictures
from relume.errors import InputError


def test_folders_and_lists_are_found(photos, tmp_path):
    inner = photos / "inner"
    inner.mkdir()
    (photos / "c.png").rename(inner / "c.PNG")
    (photos / "notes.doc").write_text("no picture")
    (photos / "._a.png").write_text("what macOS leaves in archives")
    names = [path.name for path in find_pictures([photos])]
    assert names == ["a.png", "b.png", "c.PNG"]
    (photos / "list.txt").write_text("b.png\n\na.png\n")
    assert [p.name for p in find_pictures([photos / "list.txt"])] == ["b.png", "a.png"]
    (photos / "list.json").write_text(json.dumps(["a.png"]))
    assert find_pictures([photos / "list.json", photos / "b.png"]) == [photos / "a.png", photos / "b.png"]


def test_missing_empty_and_broken_sources_are_input_errors(photos, tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist; allowed: a folder") as raised:
        find_pictures([tmp_path / "nowhere"])
    assert "--data" not in str(raised.value), "which not every command has"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures found"):
        find_pictures([tmp_path / "empty"])
    (tmp_path / "broken.json").write_text("[")
    with pytest.raises(InputError, match="cannot read the list"):
        find_pictures([tmp_path / "broken.json"])


def test_decoding_keeps_every_pixel_and_happens_once(photos, cache):
    paths = find_pictures([photos])
    pictures = DecodedPictures.decode(paths, smallest_px=8)
    for index, path in enumerate(paths):
        assert np.array_equal(pictures.pixels(index), np.asarray(Image.open(path)))
    times = [file.stat().st_mtime_ns for file in pictures.files]
    again = DecodedPictures.decode(paths, smallest_px=8)
    assert [file.stat().st_mtime_ns for file in again.files] == times


def test_a_name_need_not_be_text(photos):
    named = photos / os.fsdecode(b"\xff.png")
    (photos / "a.png").rename(named)
    assert DecodedPictures.decode([named], smallest_px=8).skipped == {}


def test_a_changed_picture_is_decoded_again(photos):
    before = DecodedPictures.decode([photos / "a.png"], smallest_px=8)
    Image.new("RGB", (20, 30), "red").save(photos / "a.png")
    after = DecodedPictures.decode([photos / "a.png"], smallest_px=8)
    assert before.shapes != after.shapes == ((30, 20),)
    assert before.fingerprint != after.fingerprint


def test_unusable_pictures_are_skipped_and_named(photos):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    pictures = DecodedPictures.decode(find_pictures([photos]), smallest_px=36)
    assert len(pictures.files) == 2
    assert set(pictures.skipped) == {str(photos / "broken.png"), str(photos / "b.png")}
    assert pictures.skipped[str(photos / "b.png")] == "64×33 is smaller than a crop of 36"


def test_nothing_usable_is_an_input_error(photos):
    with pytest.raises(
        InputError, match=r"none of the 3 training pictures can be used; got \S+\.png: 50×40 is smaller"
    ):
        DecodedPictures.decode(find_pictures([photos]), smallest_px=100)
