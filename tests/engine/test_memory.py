from dataclasses import replace

import numpy as np
import pytest

from relume.card import ModelCard
from relume.engine.memory import (
    LARGEST_OVERLAP,
    LARGEST_ROOMY_OVERLAP,
    SMALLEST,
    graph_bytes,
    tile_shape,
    window_bytes,
)
from relume.engine.tiles import overlap, plan_tiles
from relume.errors import OutOfMemory

MIB, GIB = 2**20, 2**30
COMPACT = ModelCard(name="compact-small-x4", task="upscale", arch="compact", scale=4, halo_px=11)


def tile_bytes(card: ModelCard, tile: tuple[int, int]) -> int:
    return window_bytes(card, "", (tile[0] + 2 * card.halo_px) * (tile[1] + 2 * card.halo_px))


def test_tiles_are_as_large_as_saves_work_and_as_small_as_memory_asks():
    assert tile_shape(COMPACT, 200, 300, free=8 * GIB) == (200, 300), "small pictures are whole"
    roomy, tight = (tile_shape(COMPACT, 2000, 1000, free=free) for free in (64 * GIB, 450 * MIB))
    assert overlap(2000, 1000, roomy, COMPACT.halo_px) <= LARGEST_ROOMY_OVERLAP
    smaller = tile_shape(COMPACT, 750, 1000, depth=np.uint8, free=64 * GIB)
    assert overlap(750, 1000, smaller, COMPACT.halo_px) <= LARGEST_OVERLAP
    assert roomy[0] * roomy[1] < 2000 * 1000, "no more memory than it takes"
    most = (450 * MIB - 12 * 16 * 2000 * 1000) // 2
    assert tile_bytes(COMPACT, tight) <= most < tile_bytes(COMPACT, roomy)
    assert tile_shape(COMPACT, 100, 100, free=4 * MIB) == (SMALLEST, SMALLEST)


def test_an_architecture_that_was_not_measured_gets_smaller_tiles():
    new = replace(COMPACT, arch="new")
    assert window_bytes(new, "", 1) > window_bytes(COMPACT, "", 1)
    small, large = (tile_shape(card, 800, 800, free=400 * MIB) for card in (new, COMPACT))
    assert small[0] * small[1] < large[0] * large[1]


def test_tails_in_tiles_allow_larger_windows_that_need_less():
    """12 megapixels of SRResNet, 40 pixels of overlap: within 600 MB, beside the picture and the process."""
    card = replace(COMPACT, arch="srresnet", halo_px=40)
    tile = tile_shape(card, 750, 1000, "openvino", np.uint8, 16 * GIB)
    assert overlap(750, 1000, tile, card.halo_px) <= LARGEST_ROOMY_OVERLAP
    first = plan_tiles(750, 1000, tile, card.halo_px)[0]
    px = (first.rows.stop - first.rows.start) * (first.columns.stop - first.columns.start)
    assert window_bytes(card, "openvino", px) < 450e6 < 4e9 < window_bytes(card, "", px)
    for px in (1, 10_000, 100_000, 1_000_000):
        assert window_bytes(card, "openvino", px) <= window_bytes(card, "", px)


def test_windows_are_smaller_beside_a_large_result():
    levels, values = (tile_shape(COMPACT, 750, 1000, "", depth, 16 * GIB) for depth in (np.uint8, np.float32))
    assert tile_bytes(COMPACT, values) < tile_bytes(COMPACT, levels)


def test_graphs_for_several_shapes_lie_beside_each_other():
    one, two = (graph_bytes(COMPACT, "openvino", shapes) for shapes in ([(99, 9)], [(99, 9), (9, 99)]))
    assert two > 2 * one


def test_a_result_that_cannot_fit_is_refused_at_once():
    with pytest.raises(OutOfMemory, match="GiB needed"):
        tile_shape(COMPACT, 20_000, 20_000, free=GIB)
