from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relume.errors import OutputError
from relume.image import Picture, Strips, read_picture, write_picture

RANDOM = np.random.default_rng(2)
ALL = {"bits": 16, "grey": True, "alpha": True}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def whole(bits: int = 8, grey: bool = False, alpha: bool = False) -> Picture:
    pixels = RANDOM.random((50, 31, 3), dtype=np.float32)
    return Picture(
        pixels=pixels.mean(axis=2, keepdims=True).repeat(3, 2) if grey else pixels,
        alpha=RANDOM.random((50, 31), dtype=np.float32) * 0.9 + 0.1 if alpha else None,
        grey=grey,
        bits=bits,
        xmp=XMP,
        dpi=(72, 72),
    )


def in_strips(picture: Picture, rows: int) -> Strips:
    parts = (
        picture.replace(
            pixels=picture.pixels[top : top + rows],
            alpha=None if picture.alpha is None else picture.alpha[top : top + rows],
            invented=None if picture.invented is None else picture.invented[top : top + rows],
        )
        for top in range(0, picture.height, rows)
    )
    return Strips(picture.height, picture.width, parts)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif", ".bmp"])
@pytest.mark.parametrize(
    "kind",
    [{}, {"bits": 16}, {"grey": True}, {"alpha": True}, {"bits": 16, "grey": True, "alpha": True}],
    ids=str,
)
def test_a_file_of_strips_is_that_of_the_whole(kind: dict[str, bool], suffix: str, tmp_path: Path):
    picture = whole(**kind)
    write_picture(picture, tmp_path / f"whole{suffix}")
    write_picture(in_strips(picture, 13), tmp_path / f"strips{suffix}")
    expected, found = (read_picture(tmp_path / f"{name}{suffix}") for name in ("whole", "strips"))
    assert (found.pixels == expected.pixels).all()
    assert (found.alpha is None) == (expected.alpha is None)
    assert found.alpha is None or (found.alpha == expected.alpha).all()
    assert (found.bits, found.grey, found.xmp, found.dpi) == (
        expected.bits,
        expected.grey,
        expected.xmp,
        expected.dpi,
    )
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("rows", [50, 7])
def test_the_map_of_what_was_invented_lies_beside(rows: int, tmp_path: Path):
    departure = np.linspace(0, 1, 50, dtype=np.float32)[:, None].repeat(31, 1)
    write_picture(in_strips(replace(whole(), invented=departure), rows), tmp_path / "a.jpg")
    found = read_picture(tmp_path / "a-invented.png")
    assert found.grey
    assert abs(found.pixels[..., 0] - departure).max() < 1 / 255
    assert {path.name for path in tmp_path.iterdir()} == {"a.jpg", "a-invented.png"}


def test_nothing_is_left_when_a_strip_fails(tmp_path: Path):
    def parts():
        yield whole()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_picture(Strips(100, 31, parts()), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_what_the_disk_cannot_hold_is_refused_at_the_first_strip(tmp_path: Path):
    made = []

    def parts():
        for _ in range(2):
            made.append(1)
            yield whole()

    with pytest.raises(OutputError, match="too little disk"):
        write_picture(Strips(10**15, 31, parts()), tmp_path / "a.png")
    assert made == [1]
    assert list(tmp_path.iterdir()) == []
