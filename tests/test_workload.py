from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from relume.backends import Depth
from relume.backends.base import Started
from relume.image import Levels, Picture
from relume.model import open_model
from relume.workload import parts_of


@pytest.mark.parametrize(
    "options", [{}, {"tile": 32}, {"ensemble": True}, {"wrap": True, "tile": 40}, {"scale": 0.5}]
)
def test_the_network_sees_as_much_as_was_told(
    options: dict[str, Any], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("relume.workload.LARGEST_PART", 40_000)
    picture = Picture(np.random.default_rng(0).random((90, 70, 3), np.float32))
    seen: list[int] = []
    with open_model(str(tiny_model)) as model:
        told = model.workload((90, 70), **options)
        start = model.backend.start

        def spied(batch: NDArray[np.float32], depth: Depth) -> Started:
            seen.append(batch[..., 0].size)
            return start(batch, depth)

        monkeypatch.setattr(model.backend, "start", spied)
        result = model.restore_image(picture, **options)
        parts = list(getattr(result, "parts", [result]))
    assert (sum(seen), max(seen), len(parts)) == (told.network_px, told.window_px, told.num_parts)
    assert told.part_bytes >= max(
        (part.levels if isinstance(part, Levels) else part.pixels).nbytes for part in parts
    )
    assert told.num_runs == (8 if options.get("ensemble") else 1)


def test_parts_are_small_also_where_the_result_is_smaller_than_what_the_network_makes(tiny_model: Path):
    with open_model(str(tiny_model)) as model:
        card = model.card
    for height, width in ((12_000, 8_000), (3_000, 2_000)):
        parts = parts_of(card, 3_000, 2_000, height, width)
        largest = max(last - first for first, last in parts) * width
        assert largest * (12_000 // height) ** 2 <= 1 << 24
        assert (parts[0][0], parts[-1][1]) == (0, height)
