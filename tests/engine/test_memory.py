from dataclasses import replace

import pytest

from relume.card import ModelCard
from relume.engine.memory import SMALLEST, tile_side
from relume.errors import OutOfMemory

MIB, GIB = 2**20, 2**30
COMPACT = ModelCard(name="compact-small-x4", task="upscale", arch="compact", scale=4, halo_px=11)


def test_tiles_are_as_large_as_saves_work_and_as_small_as_memory_asks():
    roomy, tight = (tile_side(COMPACT, 800, 800, free=free) for free in (8 * GIB, 256 * MIB))
    assert roomy == 440
    assert SMALLEST < tight < roomy
    assert tile_side(COMPACT, 100, 100, free=4 * MIB) == SMALLEST
    assert tile_side(replace(COMPACT, arch="new"), 800, 800, free=256 * MIB) < tight


def test_a_result_that_cannot_fit_is_refused_at_once():
    with pytest.raises(OutOfMemory, match="GiB needed"):
        tile_side(COMPACT, 20_000, 20_000, free=GIB)
