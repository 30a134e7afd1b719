"""Pictures through a network: whole or in tiles, with the same result, and then to any size."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from math import prod
from mmap import mmap
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.backends.base import Backend, Depth, Started
from relume.card import ModelCard
from relume.engine.memory import SMALLEST, is_crowded, tile_shape
from relume.engine.tiles import Shape, Tile, plan_tiles
from relume.errors import InputError, OutOfMemory, UsageError
from relume.machine import free_ram

Pixels = NDArray[np.float32]
"""A picture: HWC, RGB, in [0, 1]."""

LARGEST = {"scale": 100, "width": 1_000_000, "height": 1_000_000}
"""What may be asked for: networks make pictures a few times as large, and what goes far beyond is a slip of
the keyboard that would take days; few programs read sides of more than a million pixels, libpng's limit."""

Item = TypeVar("Item")

Progress = Callable[[int, int], None]
"""Called with the number of tiles that are done and of all tiles; from the start again after a retry."""


def restore(
    backend: Backend,
    card: ModelCard,
    pixels: Pixels,
    *,
    tile: int = 0,
    progress: Progress | None = None,
    depth: Depth = np.float32,
) -> NDArray[Any]:
    """Run a picture through a network.

    In tiles the result is that of the whole picture, to float rounding. Networks that use statistics of the
    whole picture are never tiled. If memory runs out, the picture starts again with tiles of half the side.

    Args:
        backend: the network.
        card: its card.
        pixels: HWC in [0, 1], finite, of any size from 1 × 1.
        tile: side of the tiles in input pixels, without their overlap; 0 chooses by the free memory.
        progress: told about every tile.
        depth: type of the result.

    Returns:
        HWC in [0, 1] or levels, ``card.scale`` times as high and wide.

    Raises:
        UsageError: if ``tile`` is negative.
        OutOfMemory: if even the smallest tile does not fit.
        InputError: if the network does not give what its card says.
    """
    if tile < 0:
        raise UsageError("tile must not be negative", got=tile, allowed="0 (automatic) or pixels")
    height, width, _ = pixels.shape
    chosen = tile_shape(card, height, width, backend.name, depth)  # checks that the result fits, too
    shape = (height, width) if card.global_stats else (tile, tile) if tile else chosen
    padded = _pad(pixels, card.size_multiple)
    tiles = _tiles(card, padded, shape)
    windows = {part.shape for part in tiles}
    size = (height * card.scale, width * card.scale, card.channels)
    crowded = depth is np.float32 and is_crowded(card, backend.name, windows, size)
    result = _in_small_pages(size) if crowded else np.empty(size, depth)
    while True:
        try:
            return _restore_tiles(backend, card, padded, result, tiles, crowded, progress)
        except OutOfMemory as error:
            shape = (min(shape[0], height) // 2, min(shape[1], width) // 2)
            if card.global_stats or max(shape) < SMALLEST:
                raise _no_smaller(card) from error
            tiles = _tiles(card, padded, shape)


def _tiles(card: ModelCard, padded: Pixels, tile: Shape) -> list[Tile]:
    height, width, _ = padded.shape
    return plan_tiles(height, width, tile, card.halo_px, card.size_multiple)


def _restore_tiles(
    backend: Backend,
    card: ModelCard,
    padded: Pixels,
    result: NDArray[Any],
    tiles: list[Tile],
    crowded: bool,
    progress: Progress | None,
) -> NDArray[Any]:
    seen: dict[object, Tile] = {}  # the first of equal tiles is restored, the others take from it

    def begin(part: Tile) -> Callable[[], tuple[NDArray[Any], NDArray[Any]]]:
        window = padded[part.window()]
        kept = result[part.output(card.scale)]  # ends earlier where the tile reaches into the padding
        like = seen.setdefault((_sample(window), kept.shape, _offset(part)), part)
        if like is not part and np.array_equal(window, padded[like.window()]):
            return lambda: (kept, result[like.output(card.scale)])
        started = _start(backend, card, window, result.dtype.type)
        return lambda: (kept, started()[part.crop(card.scale)][: kept.shape[0], : kept.shape[1]])

    for done, finish in enumerate(_one_ahead(map(begin, tiles)), 1):
        kept, sr = finish()
        if crowded and done == len(tiles):
            backend.release()  # before the rest of the result is touched
        kept[:] = sr
        if progress:
            progress(done, len(tiles))
    return result


def _one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Items in their order, each once the next has been made: a GPU restores that one meanwhile."""
    made: deque[Item] = deque()
    for item in items:
        made.append(item)
        if len(made) > 1:
            yield made.popleft()
    yield from made


def _in_small_pages(shape: tuple[int, ...]) -> Pixels:
    """Zeros that take memory as they are written; of NumPy's arrays, half of each row takes all of it.

    NumPy asks Linux for pages of 2 MB.
    """
    try:
        pages = mmap(-1, 4 * prod(shape))
    except OSError as error:
        raise MemoryError from error
    return np.frombuffer(pages, np.float32).reshape(shape)


def _sample(window: Pixels) -> bytes:
    """A few pixels by which a window equal to an earlier one, such as of an empty sky, can be suspected."""
    return window[:: max(1, window.shape[0] // 8), :: max(1, window.shape[1] // 8)].tobytes()


def _offset(tile: Tile) -> tuple[int, int]:
    """Where in its window the kept part begins."""
    return tile.rows.first - tile.rows.start, tile.columns.first - tile.columns.start


def _start(backend: Backend, card: ModelCard, window: Pixels, depth: Depth) -> Started:
    """Begin to restore a window; the result may be overwritten by the next."""
    height, width, channels = window.shape
    started = backend.start(window[None], depth)

    def checked() -> NDArray[Any]:
        sr = started()
        expected = (1, height * card.scale, width * card.scale, channels)
        if sr.shape != expected:
            raise InputError("the model does not give what its card says", got=sr.shape, allowed=[expected])
        return sr[0]

    return checked


def _pad(pixels: Pixels, multiple: int) -> Pixels:
    """Mirror rows and columns, without repeating the last, up to multiples; a single one is repeated."""
    below, right = (-side % multiple for side in pixels.shape[:2])
    if below == right == 0:
        return pixels
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="reflect")


def _allocate(height: int, width: int, channels: int) -> Pixels:
    needed, free = 4 * height * width * channels, free_ram()
    if needed > free:
        raise OutOfMemory(
            f"a result of {width} × {height} pixels does not fit into memory",
            got=f"{needed / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free",
            hint="ask for a smaller size",
        )
    return np.empty((height, width, channels), np.float32)


def _no_smaller(card: ModelCard) -> OutOfMemory:
    if card.global_stats:
        return OutOfMemory(
            f"not enough memory: {card.name} uses statistics of the whole picture and cannot work in tiles",
            hint="make the picture smaller, close other programs, or choose another model",
        )
    return OutOfMemory(
        "not enough memory, even for the smallest tile",
        hint="close other programs, or choose a smaller model or -g cpu",
    )


def resize(
    pixels: Pixels, height: int, width: int, box: tuple[float, float, float, float] | None = None
) -> Pixels:
    """Resize with the bicubic kernel (a = −0.5), antialiased where it gets smaller.

    Args:
        pixels: HWC or HW in [0, 1].
        height: rows of the result.
        width: columns of the result.
        box: left, top, right and bottom of the part that is resized, in pixels; what lies around it is looked
            at as in a resize of the whole. By default all.

    Returns:
        As many dimensions as were given, in [0, 1]: overshoot is cut off.
    """
    left, top, right, bottom = box or (0, 0, pixels.shape[1], pixels.shape[0])
    if (bottom - top, right - left) == (height, width) and top % 1 == left % 1 == 0:
        return pixels[int(top) : int(bottom), int(left) : int(right)]
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    result = _allocate(height, width, planes.shape[2])
    for channel in range(planes.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(planes[..., channel]))
        resized = plane.resize((width, height), Image.Resampling.BICUBIC, (left, top, right, bottom))
        np.clip(np.asarray(resized), 0, 1, out=result[..., channel])
    return result[..., 0] if pixels.ndim == 2 else result


def target_size(
    height: int,
    width: int,
    card_scale: int,
    scale: float | None = None,
    out_width: int | None = None,
    out_height: int | None = None,
) -> tuple[int, int]:
    """Height and width of the result.

    Whatever they are, the network runs once, at its own scale, and its output is resized: a second run would
    sharpen its own inventions and take ``card_scale²`` times as long for what resizing gives nearly as well.

    Args:
        height: rows of the input.
        width: columns of the input.
        card_scale: the model's scale, which counts if nothing else is asked.
        scale: asked factor.
        out_width: asked columns; with ``out_height`` alone or alone, the other side follows.
        out_height: asked rows.

    Raises:
        UsageError: if one of them is not above 0, or too large, or both a scale and a size are asked.
    """
    asked = {"scale": scale, "width": out_width, "height": out_height}
    for name, value in asked.items():
        if value is not None and not 0 < value <= LARGEST[name]:  # as nan is not
            raise UsageError(f"{name} is out of range", got=value, allowed=f"above 0, up to {LARGEST[name]}")
    if scale is not None and (out_width or out_height):
        got = ", ".join(f"{name} {value:g}" for name, value in asked.items() if value is not None)
        raise UsageError("scale and size exclude each other", got=got, allowed="scale, or width and height")
    if scale is None and not (out_width or out_height):
        return height * card_scale, width * card_scale
    return (
        out_height or _rounded(height * (scale or (out_width or 0) / width)),
        out_width or _rounded(width * (scale or (out_height or 0) / height)),
    )


def _rounded(side: float) -> int:
    return max(1, round(side))
