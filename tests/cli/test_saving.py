"""Options of single formats."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relume.cli import run

Size = Callable[..., int]


@pytest.fixture
def size(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch):
    """Enlarge a picture of noise; gives the size of the file, or the exit code as a negative number."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(noise).save("a.png")

    def call(suffix: str, *options: str) -> int:
        target = Path(f"out{suffix}")
        code = run(["upscale", "a.png", "-o", str(target), "-n", str(tiny_model), "-q", *options])
        return -code or target.stat().st_size

    return call


@pytest.mark.parametrize(
    ("suffix", "small", "large"),
    [
        (".jpg", ["--quality", "20"], []),
        (".jpg", ["--subsampling", "4:2:0"], []),
        (".webp", ["--quality", "0"], ["--lossless"]),
        (".webp", ["--method", "6", "--lossless"], ["--method", "0", "--lossless"]),
        (".avif", ["--quality", "10"], ["--speed", "9"]),
        (".png", ["--compress-level", "9"], ["--compress-level", "0"]),
        (".tif", [], ["--compression", "raw"]),
    ],
)
def test_options_reach_the_encoder(suffix: str, small: list[str], large: list[str], size: Size):
    assert 0 < size(suffix, *small) < size(suffix, *large)


def test_progressive_and_lossless(size: Size):
    size(".jpg", "--progressive")
    with Image.open("out.jpg") as image:
        assert image.info["progressive"]
    size(".png")
    size(".webp", "--lossless")
    with Image.open("out.png") as png, Image.open("out.webp") as webp:
        assert (np.asarray(png) == np.asarray(webp)).all()


@pytest.mark.parametrize(
    ("suffix", "options", "told"),
    [
        (".png", ["--quality", "90"], "--quality means nothing here; got PNG; allowed: JPEG, WEBP, AVIF"),
        (
            ".jpg",
            ["--quality", "101"],
            "wrong value for --quality; got 101; allowed: a whole number from 0 to 100",
        ),
        (
            ".jpg",
            ["--compress-level", "-1"],
            "wrong value for --compress-level; got -1; allowed: a whole number from 0 to 9",
        ),
        (".tif", ["--compression", "zip"], "unknown TIFF compression"),
        (".jpg", ["--subsampling", "4:2:1"], "subsampling"),
        (".jpg", ["--lossless"], "--lossless means nothing here"),
    ],
)
def test_what_means_nothing_is_refused(
    suffix: str, options: list[str], told: str, size: Size, capfd: pytest.CaptureFixture[str]
):
    assert size(suffix, *options) == -2
    assert told in capfd.readouterr().err
