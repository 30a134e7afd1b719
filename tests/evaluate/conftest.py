from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Path]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Write a picture of soft noise: ``draw("set/a.png", seed=1)``."""

    def write(name: str, seed: int = 0, size: tuple[int, int] = (49, 42), mode: str = "RGB") -> Path:
        small = np.random.default_rng(seed).integers(0, 256, (12, 12, 3)).astype(np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(small).resize(size).convert(mode).save(path)
        return path

    return write
