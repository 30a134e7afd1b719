"""How much there is to do for a picture, by its size alone: nothing is read, and no network is needed."""

from dataclasses import dataclass
from functools import cache, partial
from math import prod

import numpy as np

from relume.card import ModelCard
from relume.engine.memory import tile_shape
from relume.engine.restore import Depth
from relume.engine.tiles import plan_tiles
from relume.restoration import Restoration, strips

LARGEST_PART = 1 << 24
"""Pixels of a result, at the network's size or the asked one, that are in memory at a time: 200 MB."""

_RGB_BYTES, _LEVELS_BYTES = 12, 3  # a pixel in float32, and in 8 bits, as almost all pictures have
_RESIZING_BYTES = 8  # more for each while it is resized, measured


@dataclass(frozen=True)
class Workload:
    """What one picture asks for.

    Attributes:
        network_px: pixels that the network sees, in all windows and runs together.
        num_runs: of the network for each window.
        windows: rows and columns of the windows.
        part_bytes: of what the network makes of the largest part, and what is done to that.
        num_parts: in how many parts the result is made.
        in_levels: whether the network gives whole levels, as of opaque pictures in colour with 8 bits.
    """

    network_px: int
    num_runs: int
    windows: frozenset[tuple[int, int]]
    part_bytes: int
    num_parts: int
    in_levels: bool

    @property
    def window_px(self) -> int:
        """Pixels of the largest window."""
        return max(map(prod, self.windows))


def parts_of(
    card: ModelCard, height: int, width: int, out_height: int, out_width: int
) -> list[tuple[int, int]]:
    """First row and end of the parts in which a result is made: one, if the network must see everything.

    Args:
        card: the model.
        height: rows of the picture.
        width: columns of the picture.
        out_height: rows of the result.
        out_width: columns of the result.
    """
    if card.global_stats:
        return [(0, out_height)]
    reduction = max(1.0, height * width * card.scale**2 / (out_height * out_width))
    return list(strips(out_height, out_width, int(LARGEST_PART / reduction)))


def workload(
    card: ModelCard,
    restoration: Restoration,
    size: tuple[int, int],
    out_size: tuple[int, int],
    tile: int = 0,
    runtime: str = "",
) -> Workload:
    """What a picture asks for.

    Args:
        card: the model.
        restoration: what is done with it.
        size: rows and columns of the picture.
        out_size: rows and columns of the result.
        tile: side of the tiles in pixels of the picture; 0: by the memory that is free now.
        runtime: name of the backend.

    Raises:
        OutOfMemory: if a part of the result alone does not fit.
    """
    parts = parts_of(card, *size, *out_size)
    in_levels = restoration.is_all_network(size, out_size)
    depth = np.uint8 if in_levels else np.float32
    windows_of = cache(partial(_windows, card, tile, runtime, depth))
    seen = [restoration.seen(size, out_size, *part) for part in parts]
    sizes = [(bottom - top, size[1] + 2 * edge) for top, bottom, edge in seen]
    windows = [window for part in sizes for window in windows_of(*part)]
    num_runs = 8 if restoration.ensemble else 1
    return Workload(
        network_px=sum(map(prod, windows)) * num_runs,
        num_runs=num_runs,
        windows=frozenset(windows) | {(width, height) for height, width in windows if num_runs > 1},
        part_bytes=_bytes_per_px(restoration, size, out_size) * card.scale**2 * max(map(prod, sizes)),
        num_parts=len(parts),
        in_levels=in_levels,
    )


def _bytes_per_px(restoration: Restoration, size: tuple[int, int], out_size: tuple[int, int]) -> int:
    """What lies in memory for each pixel of a part of the result."""
    if restoration.is_all_network(size, out_size):
        return _LEVELS_BYTES
    again = restoration.ensemble + (restoration.strength < 1)
    resized = out_size != (size[0] * restoration.scale, size[1] * restoration.scale)
    return _RGB_BYTES * (1 + again) + _RESIZING_BYTES * resized + _LEVELS_BYTES


def _windows(
    card: ModelCard, tile: int, runtime: str, depth: Depth, height: int, width: int
) -> list[tuple[int, int]]:
    """Rows and columns of every window of a part."""
    chosen = (tile, tile) if tile else tile_shape(card, height, width, runtime, depth)
    shape = (height, width) if card.global_stats else chosen
    height, width = (side + -side % card.size_multiple for side in (height, width))
    tiles = plan_tiles(height, width, shape, card.halo_px, card.size_multiple)
    return [part.shape for part in tiles]
