from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.data.pairs import DecodedPairs, find_pairs
from relume.errors import InputError


@pytest.fixture
def pairs(photos, tmp_path) -> Path:
    """A folder of pairs: ``A`` as PNG, ``B`` the same pictures inverted, as BMP."""
    folder = tmp_path / "pairs"
    (folder / "B").mkdir(parents=True)
    photos.rename(folder / "A")
    for path in (folder / "A").iterdir():
        with Image.open(path) as picture:
            picture.point(lambda value: 255 - value).save(folder / "B" / f"{path.stem}.bmp")
    return folder


def decode(folder: Path) -> DecodedPairs:
    return DecodedPairs.decode(find_pairs([folder]), smallest_px=16)


def test_pairs_are_matched_by_name_and_decoded(pairs):
    assert [(a.name, b.name) for a, b in find_pairs([pairs])] == [(f"{n}.png", f"{n}.bmp") for n in "abc"]
    decoded = decode(pairs)
    assert decoded.shapes == ((40, 50), (33, 64), (48, 48))
    for index in range(3):
        degraded, sharp = decoded.pixels(index)
        assert np.array_equal(degraded, 255 - sharp)


def test_every_orphan_is_named_up_to_a_few(pairs):
    (pairs / "A" / "a.png").unlink()
    (pairs / "B" / "c.bmp").unlink()
    with pytest.raises(InputError, match=r"2 pictures .* have no partner; got A/c.png, B/a.bmp; allowed"):
        find_pairs([pairs])
    for number in range(9):
        (pairs / "A" / f"x{number}.png").touch()
    with pytest.raises(InputError, match=r"^11 pictures .*A/x0.png, A/x1.png, A/x2.png, A/x3.png, …;"):
        find_pairs([pairs])


def test_missing_folders_and_ambiguous_names_are_input_errors(pairs):
    (pairs / "B" / "a.png").touch()
    with pytest.raises(InputError, match="two pictures of the same name"):
        find_pairs([pairs])
    with pytest.raises(InputError, match=r"no folder .*A/A; allowed: for pairs, A \(degraded\) and B"):
        find_pairs([pairs / "A"])


def test_pairs_of_different_sizes_are_refused(pairs):
    Image.new("RGB", (51, 40)).save(pairs / "B" / "a.bmp")
    with pytest.raises(InputError, match=r"1 pairs differ in size; got .*a.png 50×40 for 51×40"):
        decode(pairs)


def test_the_partner_of_an_unreadable_picture_is_left_out(pairs):
    (pairs / "A" / "a.png").write_bytes(b"")
    (pairs / "B" / "c.bmp").write_bytes(b"")
    decoded = decode(pairs)
    assert decoded.shapes == ((33, 64),)
    assert np.array_equal(decoded.pixels(0)[0], 255 - decoded.pixels(0)[1])
    assert set(decoded.skipped) == {str(pairs / "A" / "a.png"), str(pairs / "B" / "c.bmp")}
    (pairs / "B" / "b.bmp").write_bytes(b"")
    with pytest.raises(InputError, match="no training pair can be used"):
        decode(pairs)
