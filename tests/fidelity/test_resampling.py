import tracemalloc
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from relume.fidelity import resampling
from relume.fidelity.colour_lock import lock_colours
from relume.fidelity.consistency import back_project
from relume.fidelity.resampling import Kernel, Pixels, add_enlarged, enlarge, shrink

PIXELS = np.random.default_rng(2).random((60, 36, 3), dtype=np.float32)


def whole(pixels: Pixels, height: int, width: int, kernel: Kernel) -> Pixels:
    filter = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}.get(
        kernel, Image.Resampling.BOX
    )
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., channel])) for channel in range(3)]
    return np.stack([np.asarray(plane.resize((width, height), filter)) for plane in planes], axis=2)


@pytest.mark.parametrize("band_px", [1, 700, 1 << 20])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", get_args(Kernel))
def test_bands_are_parts_of_the_whole(
    kernel: Kernel, scale: int, band_px: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(resampling, "BAND_PX", band_px)
    large = whole(PIXELS, 60 * scale, 36 * scale, kernel)
    np.testing.assert_allclose(enlarge(PIXELS, scale, kernel), large, atol=1e-6)
    small = whole(PIXELS, 60 // scale, 36 // scale, kernel)
    np.testing.assert_allclose(shrink(PIXELS, scale, kernel), small, atol=1e-6)
    added = np.ones_like(large)
    add_enlarged(added, PIXELS, scale, kernel)
    np.testing.assert_allclose(added, 1 + large, atol=1e-6)


@pytest.mark.parametrize("change", [lock_colours, back_project])
def test_little_is_in_memory_beside_the_result(
    change: Callable[..., Pixels], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(resampling, "BAND_PX", 1 << 13)
    monkeypatch.setattr(resampling, "num_threads", lambda: 2)
    sr = np.random.default_rng(2).random((1600, 1600, 3), dtype=np.float32)
    lq = shrink(sr[:, ::-1], 8, "box")
    tracemalloc.start()
    try:
        change(sr, lq, 8, "bicubic")
        assert tracemalloc.get_traced_memory()[1] < sr.nbytes / 5
    finally:
        tracemalloc.stop()
