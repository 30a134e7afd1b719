from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from relume.errors import OutOfMemory, OutputError, UsageError
from relume.image import (
    WRITABLE_FORMATS,
    Picture,
    from_array,
    read_picture,
    refuse_size,
    to_array,
    write_picture,
)

LOSSLESS = [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:ImageWidth="1">\xc3\xa4</a></x:xmpmeta>'


def suffix(format: str) -> str:
    return WRITABLE_FORMATS[format][0]


@pytest.mark.parametrize("kind", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("format", "options"), LOSSLESS)
def test_lossless_formats_give_the_levels_back(tmp_path, make_levels, kind, bits, format, options):
    picture = from_array(make_levels(kind, bits))
    path = tmp_path / f"x{suffix(format)}"
    write_picture(picture, path, **options)
    again = read_picture(path)
    deep = bits == 16 and format != "WEBP"
    assert again.bits == (16 if deep else 8)
    assert again.grey == (kind in ("L", "LA") and format != "WEBP")
    assert (again.alpha is None) == (picture.alpha is None)
    like = np.zeros((1, 1, 4), np.uint16 if deep else np.uint8)
    seen = slice(None) if picture.alpha is None else picture.alpha > 0.5 / 255
    np.testing.assert_array_equal(to_array(again, like=like)[seen], to_array(picture, like=like)[seen])


@pytest.mark.parametrize("format", WRITABLE_FORMATS)
def test_every_format_is_written_by_suffix_and_by_name(tmp_path, make_levels, format):
    picture = from_array(make_levels("RGB"))
    write_picture(picture, tmp_path / f"x{suffix(format).upper()}")
    write_picture(picture, tmp_path / "y.other", format=format.lower())
    for name in (f"x{suffix(format).upper()}", "y.other"):
        assert read_picture(tmp_path / name).format == format
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"x{suffix(format).upper()}", "y.other"]
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("bits", [8, 16])
def test_metadata_survive(tmp_path, make_levels, camera_exif, rgb_profile, format, bits):
    path = tmp_path / f"x{suffix(format)}"
    written = from_array(make_levels("RGB", bits)).replace(
        exif=camera_exif, icc=rgb_profile, xmp=XMP, dpi=(300.0, 150.0), text={"Title": "Ärmel"}
    )
    write_picture(written, path)
    picture = read_picture(path)
    assert picture.icc == rgb_profile
    assert picture.xmp == XMP.replace(b'"1"', b'"23"')
    exif = Image.Exif()
    exif.load(picture.exif)
    assert exif[ExifTags.Base.Make] == "Camera maker"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] == "A lens with a long name"
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48, 8, 13.5)
    if format in ("PNG", "JPEG", "WEBP"):
        assert picture.exif == camera_exif
    if format in ("PNG", "JPEG", "TIFF"):
        np.testing.assert_allclose(picture.dpi, (300, 150), atol=0.02)
    if format == "PNG":
        assert picture.text == {"Title": "Ärmel"}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("format", WRITABLE_FORMATS)
def test_nothing_is_made_up(tmp_path, make_levels, format, bits):
    write_picture(from_array(make_levels("RGB", bits)), tmp_path / "x", format=format)
    picture = read_picture(tmp_path / "x")
    assert (picture.exif, picture.icc, picture.xmp, picture.dpi, picture.text) == (None, None, None, None, {})


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG"])
def test_grey_keeps_its_profile(tmp_path, make_levels, grey_profile, format, bits):
    write_picture(from_array(make_levels("L", bits)).replace(icc=grey_profile), tmp_path / "x", format=format)
    picture = read_picture(tmp_path / "x")
    assert picture.grey
    assert picture.icc == grey_profile


@pytest.mark.parametrize("kind", ["L", "LA"])
def test_grey_goes_through_its_profile_where_there_is_no_grey(tmp_path, grey_profile, kind):
    """Half the light is level 188 in sRGB."""
    levels = np.full((4, 4, len(kind)), 128, np.uint8)
    write_picture(from_array(levels).replace(icc=grey_profile), tmp_path / "x.webp", lossless=True)
    picture = read_picture(tmp_path / "x.webp")
    assert picture.icc is None
    np.testing.assert_allclose(picture.pixels * 255, 188, atol=1)
    assert picture.alpha is None if kind == "L" else np.allclose(picture.alpha, 128 / 255)


@pytest.mark.parametrize("format", ["JPEG", "BMP"])
def test_transparency_is_laid_over_a_background(tmp_path, format):
    levels = np.zeros((16, 16, 4), np.uint8)
    levels[:8, :, 3] = 255
    picture = from_array(levels)
    write_picture(picture, tmp_path / "x", format=format)
    pixels = read_picture(tmp_path / "x").pixels
    assert pixels[:7].max() < 0.05
    assert pixels[9:].min() > 0.95
    write_picture(picture, tmp_path / "x", format=format, background="#f00")
    np.testing.assert_allclose(read_picture(tmp_path / "x").pixels[12, 12], [1, 0, 0], atol=0.05)


def test_jpeg_keeps_chroma_by_default(tmp_path):
    """One red pixel in two: 4:2:0 would wash it out."""
    levels = np.zeros((32, 32, 3), np.uint8)
    levels[:, ::2, 0] = 255
    for options, sharp in (({}, True), ({"subsampling": "4:2:0"}, False)):
        write_picture(from_array(levels), tmp_path / "x.jpg", **options)
        red = read_picture(tmp_path / "x.jpg").pixels[..., 0]
        assert bool(red[:, ::2].min() > 0.9) is sharp


def test_options_reach_their_formats(tmp_path, make_levels):
    picture = from_array(make_levels("RGB", shape=(50, 50)).repeat(4, 0).repeat(4, 1))
    for name, small, large in (
        ("x.jpg", {"quality": 20}, {"quality": 100}),
        ("x.webp", {"quality": 20}, {"lossless": True}),
        ("x.avif", {"quality": 20}, {"quality": 100}),
        ("x.png", {"compress_level": 9}, {"compress_level": 0}),
        ("x.tif", {}, {"compression": "raw"}),
    ):
        sizes = []
        for options in (small, large):
            write_picture(picture, tmp_path / name, **options)
            sizes.append((tmp_path / name).stat().st_size)
        assert sizes[0] < sizes[1], name


def test_what_cannot_be_written_is_one_clear_line_and_no_file(tmp_path, make_levels):
    picture = from_array(make_levels("RGB"))
    wide = Picture(np.zeros((1, 70_000, 3), np.float32))
    (tmp_path / "file").touch()
    for written, name, options, error, message in (
        (picture, "x.xyz", {}, OutputError, "got format .xyz; allowed: PNG, JPEG"),
        (picture, "x", {}, OutputError, "got format unknown"),
        (picture, "x.png", {"format": "ico"}, OutputError, "got format .ico"),
        (picture, "file/x.png", {}, OutputError, "cannot make the folder .*file"),
        (
            picture,
            "x.tif",
            {"compression": "zip"},
            UsageError,
            "unknown TIFF compression; got zip; allowed: raw",
        ),
        (picture, "x.jpg", {"subsampling": "5:5:5"}, OutputError, "cannot write .*x.jpg"),
        (picture, "x.avif", {"quality": 1000}, OutputError, "cannot write .*x.avif"),
        (
            wide,
            "x.webp",
            {},
            OutputError,
            "got 70000 × 1 pixels; allowed: up to 16383 a side in WEBP; choose PNG or TIFF",
        ),
        (wide, "x.jpg", {}, OutputError, "up to 65500 a side"),
        (wide, "x.avif", {}, OutputError, "up to 65535 a side"),
    ):
        with pytest.raises(error, match=message) as raised:
            write_picture(written, tmp_path / name, **options)
        assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_would_be_encoded_in_too_much_memory_is_refused(monkeypatch):
    monkeypatch.setattr("relume.image.writing.free_ram", lambda: 4 * 100 * 100)
    for name, height, refused in (("a.jpg", 100, False), ("a.jpg", 101, True), ("a.png", 101, False)):
        with pytest.raises(OutOfMemory, match="choose PNG") if refused else nullcontext():
            refuse_size(Path(name), height, 100)


def test_long_exif_and_xmp_do_not_stop_a_jpeg(tmp_path, make_levels, camera_exif):
    long = camera_exif + bytes(70_000)
    write_picture(
        from_array(make_levels("RGB")).replace(exif=long, xmp=XMP + b" " * 70_000), tmp_path / "x.jpg"
    )
    assert read_picture(tmp_path / "x.jpg").exif is None
    write_picture(from_array(make_levels("RGB")).replace(exif=long), tmp_path / "x.png")
    assert read_picture(tmp_path / "x.png").exif == long


def test_nan_is_black_and_values_beyond_are_clipped(tmp_path):
    pixels = np.float32([[[np.nan] * 3, [-0.2] * 3, [1.3] * 3]])
    write_picture(Picture(pixels), tmp_path / "x.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels[0, :, 0], [0, 0, 1])
