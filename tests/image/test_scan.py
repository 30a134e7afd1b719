"""Pictures that need not fit into memory are those that would."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError, OutputError
from relume.image import libvips, read_picture, write_picture
from relume.image.libvips import DecodedRows
from relume.image.picture import Picture
from relume.image.reading import read_scan

RANDOM = np.random.default_rng(3)


def noise(mode: str, size: tuple[int, int] = (47, 150)) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    levels = RANDOM.integers(0, 256, (size[1], size[0], channels), np.uint8)
    return Image.fromarray(levels[..., 0] if channels == 1 else levels, mode)


def saved(folder: Path, suffix: str, mode: str = "RGB", **options: Any) -> Path:
    noise(mode).save(folder / f"a.{suffix}", **options)
    return folder / f"a.{suffix}"


def check_is_the_picture(path: Path) -> None:
    scan, picture = read_scan(path), read_picture(path)
    assert (scan.height, scan.width) == (picture.height, picture.width)
    assert scan.replace(pixels=picture.pixels, alpha=picture.alpha).exif == picture.exif
    assert (scan.grey, scan.head.bits, scan.head.icc) == (picture.grey, picture.bits, picture.icc)
    assert (scan.pixels[:] == picture.pixels).all()
    for first, last in ((0, 1), (30, 40), (picture.height - 3, picture.height)):
        assert (scan.pixels[first:last] == picture.pixels[first:last]).all()
    assert (scan.alpha is None) == (picture.alpha is None)
    if scan.alpha is not None and picture.alpha is not None:
        assert (scan.alpha[30:40] == picture.alpha[30:40]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "bmp"])
def test_the_rows_of_a_scan_are_those_of_the_picture(mode: str, suffix: str, tmp_path: Path):
    source = noise("RGB").convert(mode) if mode in {"1", "P"} else noise(mode)
    if suffix == "bmp" and mode in {"LA", "RGBA"}:
        source = source.convert("L")
    source.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    check_is_the_picture(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg(mode: str, tmp_path: Path):
    check_is_the_picture(saved(tmp_path, "jpg", mode, quality=90))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", [{}, {"grey": True}, {"alpha": True}], ids=str)
def test_16_bits(kind: dict[str, bool], suffix: str, tmp_path: Path):
    pixels = RANDOM.random((150, 47, 3), np.float32)
    alpha = RANDOM.random((150, 47), np.float32) if "alpha" in kind else None
    grey = "grey" in kind
    pixels = pixels[..., :1].repeat(3, 2) if grey else pixels
    write_picture(Picture(pixels, alpha=alpha, grey=grey, bits=16), tmp_path / f"a.{suffix}")
    assert isinstance(read_scan(tmp_path / f"a.{suffix}").levels, DecodedRows)
    check_is_the_picture(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "tif", "webp"])
def test_every_orientation(turn: int, suffix: str, tmp_path: Path):
    exif = Image.Exif()
    exif[0x112] = turn
    check_is_the_picture(saved(tmp_path, suffix, exif=exif))


@pytest.mark.parametrize("options", [{"compression": "jpeg"}, {"compression": "tiff_lzw"}], ids=str)
def test_a_tiff_in_cmyk_or_jpeg(options: dict[str, str], tmp_path: Path):
    mode = "RGB" if options["compression"] == "jpeg" else "CMYK"
    check_is_the_picture(saved(tmp_path, "tif", mode, **options))


def test_hidden_colour_near_what_is_seen_is_that_of_the_whole_picture(tmp_path: Path):
    image = noise("RGBA", (60, 600))
    alpha = np.zeros((600, 60), np.uint8)
    alpha[300:340, 20:40] = 255
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "a.png")
    scan, picture = read_scan(tmp_path / "a.png"), read_picture(tmp_path / "a.png")
    near = slice(290, 350)
    assert abs(scan.pixels[near] - picture.pixels[near])[:, 10:50].max() < 0.02


def test_a_palette_is_decoded_in_memory_as_rgb(tmp_path: Path):
    path = saved(tmp_path, "png", "P")
    assert not isinstance(read_scan(path).levels, DecodedRows)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_damage_is_found_before_any_work(suffix: str, tmp_path: Path):
    path = saved(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="damaged"):
        read_scan(path)


def test_what_can_be_decoded_is_salvaged(tmp_path: Path):
    file = BytesIO()
    noise("RGB").save(file, "JPEG")
    (tmp_path / "a.jpg").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    scan = read_scan(tmp_path / "a.jpg", salvage=True)
    assert (scan.height, scan.width) == (150, 47)


def test_too_many_pixels_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="too large"):
        read_scan(saved(tmp_path, "png"), max_pixels=100)


def test_too_little_disk_for_the_levels_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Full:
        free = 1000

    monkeypatch.setattr(libvips.shutil, "disk_usage", lambda folder: Full())
    with pytest.raises(OutputError, match="TMPDIR"):
        read_scan(saved(tmp_path, "png"))
