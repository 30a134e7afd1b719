import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import relume
from relume.backends.base import Backend, Depth, Started, in_depth
from relume.card import ModelCard
from relume.errors import InputError, UsageError
from relume.fidelity.resampling import enlarge
from relume.image import Levels, Picture, Strips, read_picture, to_array
from relume.model import Model

RANDOM = np.random.default_rng(4)
CARD = ModelCard(name="twice-x2", task="upscale", arch="none", scale=2, halo_px=0)


class Twice(Backend):
    """A network that doubles pixels and tints them, so that grey does not stay grey by itself."""

    name, device = "twice", "cpu"
    closed = False

    def start(self, batch: NDArray[np.float32], depth: Depth = np.float32) -> Started:
        return partial(self.compute, batch, depth)

    def compute(self, batch: NDArray[np.float32], depth: Depth) -> NDArray[Any]:
        return in_depth((batch.repeat(2, 1).repeat(2, 2) + np.float32([0.1, 0, -0.1])).clip(0, 1), depth)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def model() -> Model:
    return Model(CARD, Twice())


def test_a_path_gives_a_pil_picture(model: Model, tmp_path: Path):
    path = tmp_path / "a.png"
    Image.new("RGB", (7, 5), (10, 20, 30)).save(path)
    for source in (path, str(path)):
        result = model(source)
        assert isinstance(result, Image.Image)
        assert (result.mode, result.size) == ("RGB", (14, 10))
        assert result.getpixel((0, 0)) == (36, 20, 4)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pil_gives_pil_of_the_same_mode(model: Model, mode: str):
    result = model(Image.new(mode, (7, 5)))
    assert (result.mode, result.size) == (mode, (14, 10))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4)])
def test_an_array_gives_an_array_of_the_same_kind(model: Model, dtype: type, shape: tuple[int, ...]):
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    result = model((RANDOM.random(shape) * top).astype(dtype))
    assert result.dtype == dtype
    assert result.shape == (10, 14, *shape[2:])


def test_anything_else_is_refused(model: Model):
    with pytest.raises(UsageError, match="got list"):
        model([[0, 1]])


def test_grey_stays_grey(model: Model):
    pixels = np.repeat(RANDOM.random((6, 6, 1), dtype=np.float32), 3, axis=2)
    result = model.restore_picture(Picture(pixels=pixels, grey=True))
    assert result.grey
    assert (result.pixels == result.pixels[..., :1]).all()


def test_alpha_grows_without_overshoot_and_what_else_there_is_stays(model: Model):
    alpha = np.zeros((6, 8), np.float32)
    alpha[2:, 3:] = 1
    picture = Picture(pixels=np.ones((6, 8, 3), np.float32), alpha=alpha, bits=16, exif=b"E", icc=b"I")
    result = model.restore_picture(picture)
    assert result.alpha is not None
    assert result.alpha.shape == (12, 16)
    assert (result.alpha.min(), result.alpha.max()) == (0, 1)
    assert (result.bits, result.exif, result.icc) == (16, b"E", b"I")


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (14, 10)),
        ({"scale": 3}, (21, 15)),
        ({"width": 21}, (21, 15)),
        ({"width": 3, "height": 9}, (3, 9)),
    ],
)
def test_any_size(model: Model, asked: dict[str, float], size: tuple[int, int]):
    assert model(Image.new("RGB", (7, 5)), **asked).size == size


def test_progress_reaches_the_end(model: Model):
    calls: list[tuple[int, int]] = []
    model(Image.new("RGB", (64, 64)), tile=20, progress=lambda *call: calls.append(call))
    assert len(calls) > 1
    assert calls[-1] == (len(calls), len(calls))


def test_closes_what_runs_it_once():
    backend = Twice()
    with Model(CARD, backend) as model:
        assert not backend.closed
    assert backend.closed
    backend.closed = False
    model.close()
    assert not backend.closed
    with pytest.raises(UsageError, match="the model twice-x2 is closed"):
        model(Image.new("RGB", (7, 5)))


def test_several_threads_may_use_a_model():
    """Backends give a buffer that their next call overwrites; nobody may run before it is copied."""

    class Shared(Twice):
        buffer = np.empty((1, 64, 64, 3), np.uint8)

        def compute(self, batch: NDArray[np.float32], depth: Depth) -> NDArray[Any]:
            self.buffer[:] = in_depth(batch.repeat(2, 1).repeat(2, 2), depth)
            time.sleep(0.001)
            return self.buffer

    pictures = [np.full((32, 32, 3), level, np.uint8) for level in range(40)]
    with Model(CARD, Shared()) as model, ThreadPoolExecutor(8) as threads:
        results = list(threads.map(model, pictures))
    assert [np.unique(result).tolist() for result in results] == [[level] for level in range(40)]


def test_upscale_writes_a_file(tiny_model: Path, tmp_path: Path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(RANDOM.integers(0, 256, (9, 11, 3), np.uint8)).save(source)
    assert relume.upscale(source, target, model=str(tiny_model), width=33) == target
    assert read_picture(target).pixels.shape == (27, 33, 3)


def test_deblur_writes_a_file_of_the_same_size(tiny_deblur_model: Path, tmp_path: Path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(RANDOM.integers(0, 256, (9, 11, 3), np.uint8)).save(source)
    assert relume.deblur(source, target, model=str(tiny_deblur_model)) == target
    assert read_picture(target).pixels.shape == (9, 11, 3)


def test_a_model_of_another_task_is_refused(tiny_model: Path, tiny_deblur_model: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=r"tiny-x4\.onnx is no model to deblur; got one to upscale; use"):
        relume.deblur("a.png", tmp_path / "b.png", model=str(tiny_model))
    with pytest.raises(UsageError, match=r"tiny-deblur\.onnx is no model to upscale; got one to deblur; use"):
        relume.upscale("a.png", tmp_path / "b.png", model=str(tiny_deblur_model))
    with relume.open_model(str(tiny_deblur_model)) as model:
        assert model.card.task == "deblur"


def test_statistics_of_the_whole_picture_do_not_depend_on_tiles(tiny_deblur_model: Path):
    pixels = RANDOM.random((90, 130, 3), dtype=np.float32)
    with relume.open_model(str(tiny_deblur_model)) as model:
        assert model.card.global_stats
        whole, tiled, part = model(pixels), model(pixels, tile=16), model(pixels[:45])
    assert (whole == tiled).all()
    assert abs(whole[:5] - part[:5]).max() > 1e-3  # so that a part would have shown


def test_unknown_options_are_refused(tiny_model: Path, tiny_deblur_model: Path, tmp_path: Path):
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"unknown option; got scael; .*did you mean scale"):
        relume.upscale(tmp_path / "a.png", tmp_path / "b.png", model=str(tiny_model), scael=2)  # pyright: ignore
    with pytest.raises(UsageError, match="unknown option; got scale"):
        relume.deblur(tmp_path / "a.png", tmp_path / "b.png", model=str(tiny_deblur_model), scale=2)  # pyright: ignore
    assert not (tmp_path / "b.png").exists()


def test_a_bad_picture_leaves_no_file(tiny_model: Path, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError):
        relume.upscale(tmp_path / "a.png", tmp_path / "b.png", model=str(tiny_model))
    assert not (tmp_path / "b.png").exists()


def test_tiles_and_whole_agree_on_every_model_in_the_wheel():
    from relume.zoo import list_models

    noise = RANDOM.random((90, 130, 3), dtype=np.float32)
    texture = noise[:24, :40]
    for found in list_models():
        with relume.open_model(found.card.name) as opened:
            for pixels in (noise, np.full_like(noise[:20], 0.5)):
                whole, tiled = (opened(pixels, tile=tile) for tile in (1000, 24))
                assert abs(whole - tiled).max() < 1e-5, found.card.name
            wrapped = opened(texture, wrap=True, tile=64)
            step = found.card.size_multiple  # a network that halves sizes moves with its input by such steps
            moved = opened(np.roll(texture, (7 * step, 20 * step), (0, 1)), wrap=True, tile=1000)
        steps = (-7 * step * found.card.scale, -20 * step * found.card.scale)
        assert abs(wrapped - np.roll(moved, steps, (0, 1))).max() < 1e-5, found.card.name


def test_a_picture_is_not_replaced_by_its_result(tiny_model: Path, tmp_path: Path):
    source = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(source)
    with pytest.raises(UsageError, match="own picture"):
        relume.upscale(source, source, model=str(tiny_model))


def test_adversarial_models_keep_the_colours_of_their_input_unless_told_not_to():
    flat = np.full((40, 40, 3), 0.5, np.float32)
    drift = []
    for adversarial, asked in ((False, None), (True, None), (True, False), (False, True)):
        model = Model(replace(CARD, adversarial=adversarial), Twice())
        drift.append(abs(model(flat, lock_colours=asked) - 0.5).max())
    assert [d < 1e-3 for d in drift] == [False, True, False, True]


@pytest.mark.parametrize(
    "options", [{}, {"ensemble": True}, {"consistent": True, "width": 333}, {"wrap": True}], ids=str
)
def test_large_results_come_in_strips_that_are_those_of_the_whole(
    model: Model, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
):
    pixels = RANDOM.random((300, 50, 3), dtype=np.float32)
    picture = Picture(pixels=pixels, alpha=RANDOM.random((300, 50), dtype=np.float32), bits=16)
    whole = model.restore_picture(picture, show_invented=True, **options)
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr("relume.workload.LARGEST_PART", 20_000)
    found = model.restore_image(
        picture, show_invented=True, progress=lambda *call: calls.append(call), **options
    )
    assert isinstance(found, Strips)
    parts = list(found.parts)
    assert len(parts) > 2
    assert (found.height, found.width) == (whole.height, whole.width)
    for name in ("pixels", "alpha", "invented"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert abs(joined - getattr(whole, name)).max() < 2e-4, name
    assert calls[-1][0] == calls[-1][1]
    assert calls == sorted(calls)


@pytest.mark.parametrize("options", [{}, {"wrap": True}, {"scale": 3}, {"lock_colours": True}], ids=str)
def test_what_is_made_of_8_bits_comes_in_levels(
    model: Model, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
):
    picture = Picture(pixels=RANDOM.random((300, 50, 3), dtype=np.float32), exif=b"MM", xmp=b"<x/>")
    expected = model.restore_picture(picture, **options)
    whole = model.restore_image(picture, **options)
    assert isinstance(whole, Levels)
    assert (whole.exif, whole.xmp) == (expected.exif, expected.xmp)
    assert (whole.levels == to_array(expected)).all()
    monkeypatch.setattr("relume.workload.LARGEST_PART", 20_000)
    strips = model.restore_image(picture, **options)
    assert isinstance(strips, Strips)
    joined = np.concatenate([part.levels for part in strips.parts]).astype(int)
    assert abs(joined - whole.levels).max() <= (1 if options.keys() & {"scale", "lock_colours"} else 0)


@pytest.mark.parametrize(
    "kind", [{"bits": 16}, {"grey": True}, {"alpha": np.ones((9, 8), np.float32)}], ids=str
)
def test_pictures_that_are_more_or_less_than_colours_in_8_bits_get_float32(
    model: Model, kind: dict[str, Any]
):
    assert isinstance(model.restore_image(Picture(RANDOM.random((9, 8, 3), np.float32), **kind)), Picture)


def test_models_that_need_the_whole_picture_do_not_work_in_strips(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relume.workload.LARGEST_PART", 100)
    model = Model(replace(CARD, global_stats=True), Twice())
    assert isinstance(model.restore_image(Picture(pixels=np.ones((40, 40, 3), np.float32))), Levels)


def test_strength_without_a_counterpart_ends_at_the_enlarged_picture(tiny_model: Path):
    pixels = RANDOM.random((16, 16, 3), dtype=np.float32)
    results = []
    for strength in (0.0, 0.5, 1.0):
        with relume.open_model(str(tiny_model), strength=strength) as opened:
            results.append(opened(pixels))
    assert abs(results[1] - (results[0] + results[2]) / 2).max() < 1e-5
    assert abs(results[0] - np.clip(enlarge(pixels, 4, "bicubic"), 0, 1)).max() < 1e-6
    with pytest.raises(UsageError, match="0 to 1"):
        relume.open_model(str(tiny_model), strength=2)


def test_results_say_which_model_made_them_unless_told_not_to(model: Model):
    picture = Picture(pixels=np.ones((4, 4, 3), np.float32))
    assert b"relume twice-x2" in (model.restore_picture(picture).xmp or b"")
    assert model.restore_picture(picture, provenance=False).xmp is None


def test_a_consistent_result_of_a_model_that_does_not_enlarge_is_refused():
    model = Model(replace(CARD, task="deblur"), Twice())
    with pytest.raises(UsageError, match="does not enlarge"):
        model(np.ones((4, 4, 3), np.float32), consistent=True)
