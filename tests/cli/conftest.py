from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a.png, b.jpg and the folder sub with c.png and broken.png."""
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    for name, size in {"a.png": (12, 8), "b.jpg": (9, 7), "sub/c.png": (5, 6)}.items():
        Image.new("RGB", size, "teal").save(name)
    Path("sub/broken.png").write_bytes(Path("a.png").read_bytes()[:40])
    return tmp_path
