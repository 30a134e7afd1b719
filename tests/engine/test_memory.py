from dataclasses import replace

import pytest

from relume.card import ModelCard
from relume.engine.memory import LARGEST_OVERLAP, SMALLEST, tile_shape, working_bytes
from relume.engine.tiles import overlap
from relume.errors import OutOfMemory

MIB, GIB = 2**20, 2**30
COMPACT = ModelCard(name="compact-small-x4", task="upscale", arch="compact", scale=4, halo_px=11)


def window_bytes(tile: tuple[int, int]) -> int:
    return (tile[0] + 2 * COMPACT.halo_px) * (tile[1] + 2 * COMPACT.halo_px) * working_bytes(COMPACT)


def test_tiles_are_as_large_as_saves_work_and_as_small_as_memory_asks():
    assert tile_shape(COMPACT, 200, 300, free=8 * GIB) == (200, 300), "small pictures are whole"
    roomy, tight = (tile_shape(COMPACT, 2000, 1000, free=free) for free in (64 * GIB, 450 * MIB))
    assert overlap(2000, 1000, roomy, COMPACT.halo_px) <= LARGEST_OVERLAP
    assert roomy[0] * roomy[1] < 2000 * 1000, "no more memory than it takes"
    assert window_bytes(tight) <= (450 * MIB - 12 * 16 * 2000 * 1000) // 2 < window_bytes(roomy)
    assert tile_shape(COMPACT, 100, 100, free=4 * MIB) == (SMALLEST, SMALLEST)


def test_an_architecture_that_was_not_measured_gets_smaller_tiles():
    new = replace(COMPACT, arch="new")
    assert working_bytes(new) > working_bytes(COMPACT)
    small, large = (tile_shape(card, 800, 800, free=400 * MIB) for card in (new, COMPACT))
    assert small[0] * small[1] < large[0] * large[1]


def test_a_result_that_cannot_fit_is_refused_at_once():
    with pytest.raises(OutOfMemory, match="GiB needed"):
        tile_shape(COMPACT, 20_000, 20_000, free=GIB)
