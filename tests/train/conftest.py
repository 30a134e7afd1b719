from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.train.recipe import Recipe


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three pictures of waves, each 64×64."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.png"):
        waves = np.sin(np.arange(64)[:, None, None] / 4 + rng.uniform(0, 6, 3)) * 100 + 128
        Image.fromarray(np.broadcast_to(waves, (64, 64, 3)).astype(np.uint8)).save(folder / name)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded pictures go to a folder of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def recipe(photos: Path) -> Recipe:
    """Four steps of a tiny network."""
    return Recipe.model_validate(
        {
            "name": "tiny-x4",
            "arch": {"kind": "compact", "size": "tiny"},
            "data": {"train": [str(photos)], "crop_px": 32},
            "batch_size": 2,
            "steps": 4,
            "schedule": {"kind": "cosine"},
            "validation": {"every": 2, "most": 2},
            "runtime": {"num_workers": 0, "threads": 1, "save_every": 2, "log_every": 1},
        }
    )
