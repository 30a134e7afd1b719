"""How large a tile may be, for the memory there is."""

from collections.abc import Collection
from math import prod

import numpy as np

from relume.backends.base import TAIL_BYTES, Depth
from relume.card import ModelCard
from relume.engine.tiles import Shape, fit_tiles, overlap
from relume.errors import OutOfMemory
from relume.machine import free_ram

WORKING_BYTES = {
    "compact": (900, 25),
    "compact-unet": (400, 0),
    "deblurgan": (3100, 0),
    "deblurgan-unet": (3200, 0),
    "keras-srgan": (2200, 465),
    "srresnet": (1900, 560),
    "unet": (2300, 265),
}
"""What an architecture needs while it runs, in bytes per input pixel and per output pixel of a window.

Just above the growth of the peak RSS that ``benchmarks/memory.py`` measured in float32 with OpenVINO and ONNX
Runtime, in bytes per input pixel: at ×4 1,070 and 470 of compact-small, 1,249 and 939 of compact-medium,
8,164 and 9,395 of SRResNet; at ×2 865 and 939 of compact-medium, 2,501 and 4,020 of SRResNet; 345 of
compact-unet. Windows of one shape take OpenVINO 5,330 for SRResNet at ×4, but two shapes of almost one size
10,790: the graph for the first stays beside the one for any. The more of both runtimes: of keras-srgan 9,562
at ×4 and 4,020 at ×2, of unet 6,489 and 3,324; of deblurgan 3,088 and of deblurgan-unet
3,160.
"""

UNKNOWN_WORKING_BYTES = (1000, 1500)
"""The same for all others: more than the hungriest that was measured, faces with transposed convolutions
(24,497 at ×4 in ONNX Runtime, 11,637 in OpenVINO)."""

TRUNK_BYTES = {
    "keras-srgan": (520, 15),
    "srresnet": (520, 12),
}
"""The same where OpenVINO puts what follows the trunk into tiles, with :data:`TAIL_BYTES` more for these: at
×4 530 of SRResNet, 500 in 8 bits, and 750 of keras-srgan."""

COMFORTABLE = 256 * 2**20
"""Bytes that a network may need while it runs, without a reason for more."""

LARGEST_OVERLAP = 1.04
"""Tiles that overlap so much that the network has more than this to do are a reason."""

ROOMY = 480 * 2**20
"""Bytes, with those of the result, beyond which it is none, unless they overlap by more than the next.

Beyond them, and beside a result in float32, the network gives its part back when it has run the last window,
and the result takes memory only as it is filled. Both cost time: compact-small at 400×400 0.27 s of processor
time for a window instead of 0.25, and the pages of 12 megapixels in float32 0.08 s.
"""

LARGEST_ROOMY_OVERLAP = 1.1

ANY_SIZE = 1.5
"""What OpenVINO's graph for windows of other sizes than the first one's holds, beside its own. Windows whose
tail is in tiles never run in it."""

SMALLEST = 32
"""No tile of a smaller side is tried."""


def tile_shape(
    card: ModelCard,
    height: int,
    width: int,
    runtime: str = "",
    depth: Depth = np.float32,
    free: int | None = None,
) -> Shape:
    """Rows and columns of the tiles in which to restore a picture, in input pixels.

    The smallest that waste little work on overlap, or what fits into half of the memory that is left beside
    the result (the other half is for whoever reads and writes the picture).

    Args:
        card: the model.
        height: rows of the input.
        width: columns of the input.
        runtime: name of the backend; without one, the most that any takes is planned.
        depth: type of the result.
        free: bytes to plan with, instead of what is free now.

    Raises:
        OutOfMemory: if the result alone does not fit.
    """
    free = free_ram() if free is None else free
    result = np.dtype(depth).itemsize * card.channels * height * width * card.scale**2
    if result > free:
        raise OutOfMemory(
            f"the result of {width * card.scale} × {height * card.scale} pixels does not fit into memory",
            got=f"{result / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free",
            hint="cut the picture into parts or choose a model of smaller scale",
        )
    most = (free - result) // 2
    budget = min(COMFORTABLE, most)
    while True:
        tile = fit_tiles(height, width, _largest_px(card, runtime, budget), card.halo_px, SMALLEST)
        enough = LARGEST_OVERLAP if budget + result < ROOMY else LARGEST_ROOMY_OVERLAP
        if budget >= most or overlap(height, width, tile, card.halo_px) <= enough:
            return tile
        budget = min(most, budget * 5 // 4)


def graph_bytes(card: ModelCard, runtime: str, windows: Collection[Shape]) -> int:
    """Bytes that a network needs while it runs windows of these shapes, one after the other.

    Args:
        card: the model.
        runtime: name of the backend.
        windows: rows and columns of each, in input pixels.
    """
    own = window_bytes(card, runtime, max(map(prod, windows)))
    if len(windows) == 1:
        return own
    any_size = round(ANY_SIZE * own)
    return own + (min(any_size, TAIL_BYTES) if has_tiled_tail(card, runtime) else any_size)


def is_crowded(card: ModelCard, runtime: str, windows: Collection[Shape], result: tuple[int, ...]) -> bool:
    """Whether network and a result in float32 take so much that neither should hold more than it must.

    Args:
        card: the model.
        runtime: name of the backend.
        windows: rows and columns of each, in input pixels.
        result: shape of the result.
    """
    return graph_bytes(card, runtime, windows) + 4 * prod(result) > ROOMY


def window_bytes(card: ModelCard, runtime: str, window_px: int) -> int:
    """Bytes that a network needs while it runs.

    Args:
        card: the model.
        runtime: name of the backend.
        window_px: pixels of a window of the input.
    """
    whole = _per_pixel(card, WORKING_BYTES.get(card.arch, UNKNOWN_WORKING_BYTES)) * window_px
    if not has_tiled_tail(card, runtime):
        return whole
    return min(whole, _per_pixel(card, TRUNK_BYTES[card.arch]) * window_px + TAIL_BYTES)


def has_tiled_tail(card: ModelCard, runtime: str) -> bool:
    """Whether the layers that enlarge run in tiles where windows are large."""
    return runtime == "openvino" and card.arch in TRUNK_BYTES


def _largest_px(card: ModelCard, runtime: str, budget: int) -> int:
    """Pixels of the largest window that needs no more than so many bytes."""
    whole = budget // _per_pixel(card, WORKING_BYTES.get(card.arch, UNKNOWN_WORKING_BYTES))
    if not has_tiled_tail(card, runtime):
        return whole
    return max(whole, (budget - TAIL_BYTES) // _per_pixel(card, TRUNK_BYTES[card.arch]))


def _per_pixel(card: ModelCard, inside_and_outside: tuple[int, int]) -> int:
    inside, outside = inside_and_outside
    return inside + outside * card.scale**2
