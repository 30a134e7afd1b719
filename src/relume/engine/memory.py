"""How large a tile may be, for the memory there is."""

from relume.card import ModelCard
from relume.engine.tiles import Shape, fit_tiles, overlap
from relume.errors import OutOfMemory
from relume.machine import free_ram

WORKING_BYTES = {
    "compact": (900, 25),
    "compact-unet": (400, 0),
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
at ×4 and 4,020 at ×2, of unet 6,489 and 3,324; of deblurgan-unet 3,160.
"""

UNKNOWN_WORKING_BYTES = (1000, 1500)
"""The same for all others: more than the hungriest that was measured, faces with transposed convolutions
(24,497 at ×4 in ONNX Runtime, 11,637 in OpenVINO)."""

COMFORTABLE = 256 * 2**20
"""Bytes that a network may need while it runs, without a reason for more."""

LARGEST_OVERLAP = 1.04
"""Tiles that overlap so much that the network has more than this to do are a reason."""

SMALLEST = 32
"""No tile of a smaller side is tried."""


def tile_shape(card: ModelCard, height: int, width: int, free: int | None = None) -> Shape:
    """Rows and columns of the tiles in which to restore a picture, in input pixels.

    The smallest that waste little work on overlap, or what fits into half of the memory that is left beside
    the float32 result (the other half is for whoever reads and writes the picture).

    Args:
        card: the model.
        height: rows of the input.
        width: columns of the input.
        free: bytes to plan with, instead of what is free now.

    Raises:
        OutOfMemory: if the result alone does not fit.
    """
    free = free_ram() if free is None else free
    result = 4 * card.channels * height * width * card.scale**2
    if result > free:
        raise OutOfMemory(
            f"the result of {width * card.scale} × {height * card.scale} pixels does not fit into memory",
            got=f"{result / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free",
            hint="cut the picture into parts or choose a model of smaller scale",
        )
    most = (free - result) // 2
    budget = min(COMFORTABLE, most)
    while True:
        tile = fit_tiles(height, width, budget // working_bytes(card), card.halo_px, SMALLEST)
        if budget >= most or overlap(height, width, tile, card.halo_px) <= LARGEST_OVERLAP:
            return tile
        budget = min(most, budget * 5 // 4)


def working_bytes(card: ModelCard) -> int:
    """Bytes that a network needs per input pixel of a window while it runs."""
    inside, outside = WORKING_BYTES.get(card.arch, UNKNOWN_WORKING_BYTES)
    return inside + outside * card.scale**2
