import resource
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from relume.backends.base import Backend, Depth, Started, in_depth
from relume.card import ModelCard
from relume.engine import restore as module
from relume.engine.restore import resize, restore, target_size
from relume.errors import InputError, OutOfMemory, UsageError

RANDOM = np.random.default_rng(3)


class Filter(Backend):
    """A network with a receptive field of exactly ``radius``: a filter over zero-padded input, repetition.

    With ``multiple`` it subsamples and repeats in blocks first, so that the phase of a window matters.
    """

    name, device = "filter", "cpu"

    def __init__(self, radius: int, scale: int, multiple: int = 1, largest: int = 10**9, mean: bool = False):
        self.radius, self.scale, self.multiple, self.largest, self.mean = (
            radius,
            scale,
            multiple,
            largest,
            mean,
        )
        self.kernel = np.random.default_rng(radius).uniform(0.2, 1, (2, 2 * radius + 1)).astype(np.float32)
        self.kernel /= self.kernel.sum(axis=1, keepdims=True)
        self.shapes: list[tuple[int, ...]] = []

    def start(self, batch: NDArray[np.float32], depth: Depth = np.float32) -> Started:
        return partial(self.compute, batch, depth)

    def compute(self, batch: NDArray[np.float32], depth: Depth) -> NDArray[Any]:
        self.shapes.append(batch.shape)
        assert batch.dtype == np.float32
        assert not batch.shape[1] % self.multiple
        assert not batch.shape[2] % self.multiple
        if batch[0, ..., 0].size > self.largest:
            raise OutOfMemory("full")
        out = batch[:, :: self.multiple, :: self.multiple] if self.multiple > 1 else batch
        out = out.repeat(self.multiple, 1).repeat(self.multiple, 2)
        for axis, kernel in ((1, self.kernel[0]), (2, self.kernel[1])):
            out = np.apply_along_axis(
                lambda line, k=kernel: np.convolve(line, k, "same")[: len(line)], axis, out
            )
        out = out.repeat(self.scale, 1).repeat(self.scale, 2)
        return in_depth(out - (batch.mean() if self.mean else 0), depth)

    def close(self) -> None: ...


def card(radius: int, scale: int, multiple: int = 1, **more: object) -> ModelCard:
    halo = radius + multiple - 1
    return ModelCard(
        name="t", task="upscale", arch="t", scale=scale, halo_px=halo, size_multiple=multiple, **more
    )


def picture(height: int, width: int) -> NDArray[np.float32]:
    return RANDOM.random((height, width, 3), dtype=np.float32)


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize(("radius", "multiple"), [(0, 1), (1, 1), (3, 1), (2, 4)])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (50, 33), (7, 64), (41, 97)])
def test_tiles_give_what_the_whole_gives(height: int, width: int, radius: int, multiple: int, scale: int):
    pixels, backend = picture(height, width), Filter(radius, scale, multiple)
    whole = restore(backend, card(radius, scale, multiple), pixels, tile=1000)
    assert len(backend.shapes) == 1
    tiled = restore(backend, card(radius, scale, multiple), pixels, tile=8)
    assert len(backend.shapes) > 3
    assert len(set(backend.shapes[1:])) == 1, "all tiles have one shape"
    assert whole.shape == (height * scale, width * scale, 3)
    assert abs(tiled - whole).max() < 1e-6


def test_a_halo_too_small_shows():
    pixels, backend = picture(50, 50), Filter(3, 1)
    whole, tiled = (restore(backend, card(2, 1), pixels, tile=tile) for tile in (1000, 8))
    assert abs(tiled - whole).max() > 1e-3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (3, 2), (17, 5)])
def test_pictures_smaller_than_the_padding(height: int, width: int):
    pixels = picture(height, width)
    restored = restore(Filter(0, 2, 16), card(0, 2, 16), pixels)
    assert restored.shape == (2 * height, 2 * width, 3)
    assert np.isfinite(restored).all()
    assert abs(restored[0, 0] - pixels[0, 0]).max() < 1e-6


def test_padding_mirrors():
    backend = Filter(0, 1, 1)
    padded = module._pad(picture(5, 6), 4)
    assert padded.shape == (8, 8, 3)
    assert (padded[5] == padded[3]).all()
    assert (padded[:, 7] == padded[:, 3]).all()
    assert restore(backend, card(0, 1), picture(5, 6)).dtype == np.float32


def test_the_result_outlives_the_backends_memory_and_the_input_is_untouched():
    class Reused(Filter):
        memory = np.empty((1, 20, 20, 3), np.float32)

        def compute(self, batch: NDArray[np.float32], depth: Depth) -> NDArray[Any]:
            self.memory[:] = 1 - batch
            return self.memory

    pixels = picture(20, 20)
    before = pixels.copy()
    restored = restore(Reused(0, 1), card(0, 1), pixels)
    restore(Reused(0, 1), card(0, 1), 1 - pixels)
    assert (restored == 1 - before).all()
    assert (pixels == before).all()


def test_out_of_memory_halves_the_tile_and_starts_again():
    pixels, backend, calls = picture(200, 150), Filter(2, 2, largest=60 * 60), []
    restored = restore(backend, card(2, 2), pixels, progress=lambda done, total: calls.append((done, total)))
    whole = restore(Filter(2, 2), card(2, 2), pixels, tile=1000)
    assert abs(restored - whole).max() < 1e-6
    assert backend.shapes[0][1:3] == (200, 150)
    assert calls == [(done, 16) for done in range(1, 17)]


class Ahead(Filter):
    """As a GPU: works when started, with memory for two results; ``events``: starts and asks, by number."""

    def __init__(self, radius: int, scale: int, largest: int = 10**9, largest_asked: int = 10**9):
        super().__init__(radius, scale, largest=largest)
        self.largest_asked = largest_asked
        self.events: list[tuple[str, int]] = []
        self.memory: dict[int, NDArray[Any]] = {}

    def start(self, batch: NDArray[np.float32], depth: Depth = np.float32) -> Started:
        number = len(self.shapes)
        self.events.append(("start", number))
        self.memory.pop(number - 2, np.empty(0)).fill(-1)  # the third takes the memory of the first
        self.memory[number] = self.compute(batch, depth)

        def asked() -> NDArray[Any]:
            self.events.append(("ask", number))
            if batch[0, ..., 0].size > self.largest_asked:
                raise OutOfMemory("full")
            return self.memory[number]

        return asked


def test_a_tile_is_asked_for_when_the_next_has_been_started():
    backend, told = Ahead(1, 1), []
    restore(
        backend, card(1, 1), picture(40, 11), tile=11, progress=lambda *now: told.append(len(backend.events))
    )
    orders = {number: [what for what, _ in backend.events if _ == number] for number in range(4)}
    assert all(order == ["start", "ask"] for order in orders.values())
    assert backend.events[:5] == [("start", 0), ("start", 1), ("ask", 0), ("start", 2), ("ask", 1)]
    assert told == [3, 5, 7, 8], "after each result, not when all are there"


@pytest.mark.parametrize("tile", [8, 1000])
def test_working_ahead_gives_the_same(tile: int):
    pixels = picture(90, 161)
    pixels[:70] = 0.4  # of equal windows, the second follows right after the first
    ahead, plain = (
        restore(backend, card(2, 2), pixels, tile=tile) for backend in (Ahead(2, 2), Filter(2, 2))
    )
    assert (ahead == plain).all()


@pytest.mark.parametrize("limits", [{"largest": 60 * 60}, {"largest_asked": 60 * 60}])
def test_out_of_memory_while_another_tile_is_under_way(limits: dict[str, int]):
    pixels, backend, calls = picture(200, 150), Ahead(2, 2, **limits), []
    restored = restore(
        backend, card(2, 2), pixels, tile=100, progress=lambda done, total: calls.append((done, total))
    )
    assert (restored == restore(Filter(2, 2), card(2, 2), pixels, tile=50)).all()
    assert len(backend.shapes) > len(calls)
    assert calls == [(done, 12) for done in range(1, 13)]


@pytest.mark.parametrize(("radius", "multiple"), [(0, 1), (3, 1), (2, 4)])
def test_equal_windows_are_restored_once(radius: int, multiple: int):
    pixels, backend = picture(90, 161), Filter(radius, 2, multiple)
    pixels[:70] = 0.4
    pixels[50, 150] = 0.6  # where no sample may be
    whole = restore(Filter(radius, 2, multiple), card(radius, 2, multiple), pixels, tile=1000)
    tiled = restore(backend, card(radius, 2, multiple), pixels, tile=8)
    assert abs(tiled - whole).max() < 1e-6
    backend.shapes.clear()
    restore(backend, card(radius, 2, multiple), picture(90, 161), tile=8)
    num_different = len(backend.shapes)
    backend.shapes.clear()
    restore(backend, card(radius, 2, multiple), pixels, tile=8)
    assert len(backend.shapes) < 0.6 * num_different


@pytest.mark.parametrize("roomy", [0, 10**12])
def test_a_network_gives_memory_back_beside_a_large_result(roomy: int, monkeypatch: pytest.MonkeyPatch):
    released_after: list[int] = []

    class Releasing(Filter):
        def release(self) -> None:
            released_after.append(len(self.shapes))

    monkeypatch.setattr("relume.engine.memory.ROOMY", roomy)
    pixels, backend = picture(50, 60), Releasing(3, 2)
    pixels[-20:, -20:] = pixels[10:30, -20:] = 0.5  # the last tile may be like another
    restored = restore(backend, card(3, 2), pixels, tile=8)
    assert released_after == ([] if roomy else [len(backend.shapes)])
    assert abs(restored - restore(Filter(3, 2), card(3, 2), pixels, tile=1000)).max() < 1e-6
    restored += 1  # what follows may change it in place


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_result_in_small_pages_takes_what_was_filled():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    result = module._in_small_pages((800, 4000, 3))
    before = resident()
    result[:, :2000] = 1
    assert 0.5 * result.nbytes <= resident() - before < 0.75 * result.nbytes


def test_no_tile_small_enough():
    backend = Filter(2, 2, largest=10)
    with pytest.raises(OutOfMemory, match="smallest tile"):
        restore(backend, card(2, 2), picture(200, 150))
    assert min(backend.shapes[-1][1:3]) <= 2 * module.SMALLEST


def test_statistics_of_the_whole_picture_forbid_tiles():
    pixels, backend = picture(80, 60), Filter(1, 1, mean=True)
    whole = restore(backend, card(1, 1, global_stats=True), pixels, tile=10)
    assert backend.shapes == [(1, 80, 60, 3)]
    assert (whole == restore(backend, card(1, 1, global_stats=True), pixels)).all()
    with pytest.raises(OutOfMemory, match="cannot work in tiles"):
        restore(Filter(1, 1, largest=10), card(1, 1, global_stats=True), pixels)


def test_a_card_that_lies_about_the_scale():
    with pytest.raises(InputError, match="card"):
        restore(Filter(0, 2), card(0, 3), picture(8, 8))


def test_a_negative_tile():
    with pytest.raises(UsageError, match="tile"):
        restore(Filter(0, 1), card(0, 1), picture(8, 8), tile=-1)


def test_resize_keeps_means_and_does_not_alias():
    pixels = np.zeros((64, 64, 3), np.float32)
    pixels[::2] = 1  # stripes that plain sampling would turn into black or white
    small = resize(pixels, 16, 16)
    assert small.shape == (16, 16, 3)
    assert abs(small[2:-2] - 0.5).max() < 0.02
    assert np.shares_memory(resize(pixels, 64, 64), pixels)


def test_resize_cuts_off_overshoot_and_takes_masks():
    mask = np.zeros((8, 8), np.float32)
    mask[:, 4:] = 1
    large = resize(mask, 32, 24)
    assert large.shape == (32, 24)
    assert large.min() == 0
    assert large.max() == 1


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (400, 800)),
        ({"scale": 2}, (200, 400)),
        ({"scale": 2.5}, (250, 500)),
        ({"scale": 0.001}, (1, 1)),
        ({"out_width": 100}, (50, 100)),
        ({"out_height": 333}, (333, 666)),
        ({"out_width": 10, "out_height": 20}, (20, 10)),
    ],
)
def test_target_size(asked: dict[str, float], size: tuple[int, int]):
    assert target_size(100, 200, 4, **asked) == size


@pytest.mark.parametrize(
    "asked",
    [{"scale": 0}, {"scale": -1}, {"scale": float("nan")}, {"out_width": 0}, {"scale": 2, "out_width": 3}],
)
def test_target_size_refuses(asked: dict[str, float]):
    with pytest.raises(UsageError):
        target_size(100, 200, 4, **asked)
