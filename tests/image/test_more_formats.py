import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError
from relume.image import read_image, read_picture
from relume.image.reading import read_scan


@pytest.mark.parametrize(
    ("mode", "name"), [("RGB", "a.jp2"), ("L", "a.j2k"), ("RGBA", "a.jp2"), ("LA", "a.jp2")]
)
def test_jpeg_2000(tmp_path: Path, mode: str, name: str):
    levels = np.random.default_rng(1).integers(0, 256, (40, 50, len(mode)), np.uint8)
    Image.fromarray(levels.squeeze(), mode).save(tmp_path / name)
    found = read_picture(tmp_path / name)
    assert (found.format, found.bits, found.grey, found.alpha is not None) == (
        "JPEG2000",
        8,
        mode[0] == "L",
        mode.endswith("A"),
    )
    visible = levels[..., -1:] > 0 if mode.endswith("A") else np.ones((40, 50, 1), bool)
    colours = 1 if mode[0] == "L" else 3
    difference = found.pixels[..., :colours] * 255 - levels[..., :colours]
    assert abs(difference * visible).max() < 1e-3


def test_deep_grey_jpeg_2000(tmp_path: Path):
    levels = np.random.default_rng(1).integers(0, 65536, (40, 50), np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.jp2")
    found = read_picture(tmp_path / "a.jp2")
    assert found.bits == 16
    assert (np.round(found.pixels[..., 0] * 65535) == levels).all()


def test_heic_goes_through_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No free encoder makes one here: what decodes it stands in, what is around it is real."""

    def decoded(file: object, name: str) -> Image.Image:
        image = Image.new("RGB", (6, 4), (10, 20, 30))
        image.info["exif"] = b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0"
        return image

    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    monkeypatch.setitem(sys.modules, "pi_heif", SimpleNamespace(HeifImageFile=decoded))
    found = read_picture(tmp_path / "a.jpg")
    assert (found.format, found.width, found.pixels[0, 0, 2]) == ("HEIC", 6, np.float32(30 / 255))
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(InputError, match=r"got a HEIC file; pip install 'relume\[heic\]'"):
        read_picture(tmp_path / "a.jpg")


def test_what_only_looks_like_heic_is_one_clear_line(tmp_path: Path):
    pytest.importorskip("pi_heif")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    with pytest.raises(InputError, match="a damaged HEIC file"):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_salvage_takes_what_is_there_and_says_so(
    tmp_path: Path, name: str, mode: str, caplog: pytest.LogCaptureFixture
):
    noise = np.random.default_rng(3).integers(0, 256, (200, 100, 3), np.uint8)
    image = Image.fromarray(noise).resize((100, 200)).convert(mode)
    image.save(tmp_path / name, dpi=(300, 300))
    whole = read_picture(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="--salvage of upscale and deblur uses what"):
        read_picture(tmp_path / name)
    with caplog.at_level(logging.WARNING):
        found = read_picture(tmp_path / name, salvage=True)
    assert (found.height, found.width, found.grey) == (200, 100, mode == "L")
    assert abs(found.pixels[:60] - whole.pixels[:60]).max() < 0.02
    assert abs(found.pixels[150:] - whole.pixels[150:]).max() > 0.2
    assert f"{name} is damaged" in caplog.text
    assert len(caplog.records) == 1


def test_nothing_can_be_salvaged_of_other_files(tmp_path: Path):
    Image.new("RGB", (9, 9)).save(tmp_path / "whole.png")
    header = (tmp_path / "whole.png").read_bytes()[:33]
    for name, content in (
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("header.png", header),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\0"),
        ("a.bmp", b"BM12"),
    ):
        (tmp_path / name).write_bytes(content)
        for read in (read_picture, read_scan, read_image):
            with pytest.raises(InputError) as raised:
                read(tmp_path / name, salvage=True)
            assert "--salvage" not in str(raised.value), "which was of no use"
