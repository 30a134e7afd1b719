from collections import Counter

import pytest
import torch
from PIL import Image

from relume.data.crops import Crops
from relume.data.mixture import Mixture
from relume.data.pairing import Given
from relume.data.pairs import DecodedPairs


def plain(folder, value) -> Crops:
    """Crops of one pair whose input is all ``value``, and whose target is one more."""
    for name, level in (("A", value), ("B", value + 1)):
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), (level, level, level)).save(folder / name / "x.png")
    pair = (folder / "A" / "x.png", folder / "B" / "x.png")
    return Crops(DecodedPairs.decode([pair], smallest_px=16), Given(), 16, seed=7)


@pytest.fixture
def mixture(tmp_path) -> Mixture:
    parts = tuple(plain(tmp_path / str(value), value) for value in (10, 20, 30))
    return Mixture(parts, (0.5, 0.3, 0.2), seed=7)


def test_each_data_set_has_its_share(mixture):
    seen = Counter(int(mixture[position][0][0, 0, 0]) for position in range(2000))
    assert {value: count / 2000 for value, count in seen.items()} == pytest.approx(
        {10: 0.5, 20: 0.3, 30: 0.2}, abs=0.04
    )


def test_an_item_is_that_of_its_data_set_and_always_the_same(mixture):
    for position in range(20):
        lq, hq = mixture[position]
        part = mixture.parts[int(lq[0, 0, 0]) // 10 - 1]
        for got, expected, again in zip((lq, hq), part[position], mixture[position], strict=True):
            assert torch.equal(got, expected)
            assert torch.equal(got, again)


def test_still_crops_are_others_and_not_turned(mixture):
    still = mixture.still(8)
    assert [part.seed for part in still.parts] == [8, 8, 8]
    assert not any(part.augment for part in still.parts)
    assert [int(still[i][0][0, 0, 0]) for i in range(40)] != [int(mixture[i][0][0, 0, 0]) for i in range(40)]


def test_what_it_tells_of_its_pictures(mixture, tmp_path):
    assert mixture.num_pictures == 3
    assert mixture.skipped == {}
    assert mixture.pairing == Given()
    other = Mixture(mixture.parts[:2], (0.5, 0.5), seed=7)
    assert mixture.fingerprint != other.fingerprint
