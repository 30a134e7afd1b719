import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from relume.errors import InputError, RelumeError
from relume.image import READABLE_SUFFIXES, from_array, read_picture, to_array, write_picture


def levels_of(picture):
    array = to_array(picture)
    return array if array.ndim == 3 else array[..., None]


def saved(folder: Path, levels, format: str, **options) -> Path:
    path = folder / "picture"  # without a suffix: content decides
    Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels).save(path, format, **options)
    return path


@pytest.mark.parametrize(
    ("format", "kind", "options"),
    [
        *(("PNG", kind, {}) for kind in ("L", "LA", "RGB", "RGBA")),
        *(
            ("TIFF", kind, {"compression": how})
            for kind in ("L", "LA", "RGB", "RGBA")
            for how in ("raw", "tiff_lzw")
        ),
        *(("WEBP", kind, {"lossless": True, "exact": True}) for kind in ("RGB", "RGBA")),
        *(("BMP", kind, {}) for kind in ("L", "RGB")),
        ("GIF", "L", {"optimize": False}),
    ],
)
def test_reads_what_pillow_wrote(tmp_path, make_levels, format, kind, options):
    levels = make_levels(kind)
    picture = read_picture(saved(tmp_path, levels, format, **options))
    assert (picture.format, picture.bits, picture.grey) == (format, 8, kind in ("L", "LA"))
    assert picture.pixels.dtype == np.float32
    assert picture.pixels.flags.c_contiguous
    seen = slice(None) if picture.alpha is None else picture.alpha > 0
    np.testing.assert_array_equal(levels_of(picture)[seen], levels[seen])


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_reads_lossy_formats_like_pillow(tmp_path, make_levels, format):
    path = saved(tmp_path, make_levels("RGB"), format)
    np.testing.assert_array_equal(to_array(read_picture(path)), np.asarray(Image.open(path)))


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        *((mode, "PNG") for mode in ("1", "P", "I;16")),
        *((mode, "TIFF") for mode in ("1", "P", "PA", "CMYK", "YCbCr", "I;16")),
        *((mode, "JPEG") for mode in ("1", "CMYK", "YCbCr")),
    ],
)
def test_every_mode_becomes_grey_or_rgb(tmp_path, mode, format):
    gradient = Image.linear_gradient("L").resize((32, 32))
    colour = Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180)))
    deep = Image.fromarray(np.asarray(gradient).astype(np.uint16) * 257)
    palette = colour.convert("P")
    image = {"I;16": deep, "PA": palette.convert("PA")}.get(mode) or colour.convert(mode)
    image.save(tmp_path / "x", format, **({"quality": 100, "subsampling": 0} if format == "JPEG" else {}))
    picture = read_picture(tmp_path / "x")
    assert picture.grey == (mode in ("1", "I;16"))
    assert picture.bits == (16 if mode == "I;16" else 8)
    seen = {"1": colour.convert("1"), "P": palette, "PA": palette, "I;16": gradient}.get(mode, colour)
    atol = 7 if mode == "YCbCr" else 3
    np.testing.assert_allclose(picture.pixels * 255, np.asarray(seen.convert("RGB")), atol=atol)


def test_palettes_keep_their_transparency(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "some.png", transparency=bytes([255, 128, 0]))
    np.testing.assert_array_equal(
        to_array(read_picture(tmp_path / "some.png"))[0, :2], [[255, 0, 0, 255], [0, 255, 0, 128]]
    )
    image.save(tmp_path / "one.gif", transparency=2)
    np.testing.assert_array_equal(read_picture(tmp_path / "one.gif").alpha, [[1, 1, 0]])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_level_of_grey_png(tmp_path, bits):
    """Pillow mistakes it below 8 bits."""
    top = (1 << bits) - 1
    row = b"".join(f"{level:0{bits}b}".encode() for level in (0, top))
    data = int(row.ljust(8 * -(-len(row) // 8), b"0"), 2).to_bytes(-(-len(row) // 8), "big")
    chunks = {b"IHDR": struct.pack(">LLBBBBB", 2, 1, bits, 0, 0, 0, 0), b"tRNS": struct.pack(">H", top)}
    chunks |= {b"IDAT": zlib.compress(b"\0" + data), b"IEND": b""}
    (tmp_path / "x").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
            for kind, data in chunks.items()
        )
    )
    picture = read_picture(tmp_path / "x")
    assert picture.grey
    assert picture.bits == (16 if bits == 16 else 8)
    np.testing.assert_array_equal(picture.alpha, [[1, 0]])


@pytest.mark.parametrize("bits", [8, 16])
def test_png_metadata_behind_the_pixels(tmp_path, make_levels, camera_exif, bits):
    path = tmp_path / "x.png"
    write_picture(from_array(make_levels("RGB", bits)).replace(exif=camera_exif), path)
    whole = path.read_bytes()
    start = whole.index(b"eXIf") - 4
    chunk = whole[start : start + 12 + len(camera_exif)]
    path.write_bytes(whole.replace(chunk, b"")[:-12] + chunk + whole[-12:])
    assert read_picture(path).exif == camera_exif


@pytest.mark.parametrize("extra", ["anything", "multiplied", "plain"])
def test_what_the_fourth_channel_of_a_tiff_is(tmp_path, make_levels, extra):
    stored = levels = make_levels("RGBA", 16)
    if extra == "multiplied":
        stored = np.rint(levels * (levels[..., 3:] / 65535)).astype(np.uint16)
        stored[..., 3] = levels[..., 3]
    path = tmp_path / "x.tif"
    pyvips.Image.new_from_array(stored, interpretation="rgb16").tiffsave(path)
    block = bytearray(path.read_bytes())
    entry = block.index(struct.pack("<HHLH", 338, 3, 1, 2))  # libvips says 2, plain alpha
    block[entry + 8] = ["anything", "multiplied", "plain"].index(extra)
    path.write_bytes(block)
    picture = read_picture(path)
    assert picture.bits == 16
    clear = levels[..., 3] > 6553
    assert clear.any()
    np.testing.assert_allclose(picture.pixels[clear], levels[clear][:, :3] / 65535, atol=1e-3)
    assert picture.alpha is None if extra == "anything" else picture.alpha.max() == 1


def test_ink_goes_through_its_profile(tmp_path, ink_profile):
    ink = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    for name, format in (("x.jpg", "JPEG"), ("x.tif", "TIFF")):
        ink.save(tmp_path / name, format, icc_profile=ink_profile)
        picture = read_picture(tmp_path / name)
        red, _, blue = picture.pixels.mean(axis=(0, 1))
        assert red < 0.1
        assert 0.8 < blue < 0.99  # real cyan; without a profile it is 1
        assert picture.icc is None


def test_profiles_stay_on_pictures_that_they_fit(tmp_path, make_levels, rgb_profile, grey_profile):
    for kind, profile, kept in (
        ("RGB", rgb_profile, True),
        ("RGB", grey_profile, False),
        ("L", rgb_profile, False),
        ("LA", grey_profile, True),
    ):
        path = saved(tmp_path, make_levels(kind), "PNG", icc_profile=profile)
        assert read_picture(path).icc == (profile if kept else None)


def test_all_orientations_come_out_the_same(shared_data):
    pictures = [read_picture(path) for path in sorted((shared_data / "bad/exif-orientation").glob("*.jpg"))]
    assert len(pictures) == 9
    for picture in pictures:
        assert (picture.width, picture.height) == (1800, 1200)
        assert np.abs(picture.pixels - pictures[1].pixels).mean() < 0.02


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied_once(tmp_path, format, turn):
    upright = Image.new("L", (64, 32), 0)
    upright.paste(255, (0, 0, 32, 16))  # top left is bright
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][turn]  # the transposition that orientation `turn` takes back
    exif = Image.Exif()
    exif[0x112] = turn
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    dpi = (72, 144) if turn < 5 else (144, 72)
    stored.save(tmp_path / "x", format, exif=exif, dpi=dpi, xmp=b'<a tiff:Orientation="%d"/>' % turn)
    picture = read_picture(tmp_path / "x")
    np.testing.assert_allclose(picture.pixels[..., 0], np.asarray(upright) / 255, atol=0.1)
    assert picture.xmp in (None, b'<a tiff:Orientation="1"/>')
    loaded = Image.Exif()
    loaded.load(picture.exif or b"")
    assert loaded.get(0x112, 1) == 1
    assert picture.dpi is None or np.allclose(picture.dpi, (72, 144), atol=0.1)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "GIF"])
def test_truncated_files_are_one_clear_line(tmp_path, make_levels, format, capfd):
    whole = saved(tmp_path, make_levels("RGB", shape=(200, 200)), format).read_bytes()
    path = tmp_path / "cut"
    for share in (0.001, 0.01, 0.1, 0.5, 0.9):
        path.write_bytes(whole[: max(1, int(len(whole) * share))])
        with pytest.raises(InputError) as error:
            read_picture(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_what_is_no_picture_says_so(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture at all")
    os.mkfifo(tmp_path / "pipe.png")
    for name, got in (
        ("empty.png", "got an empty file; allowed: PNG, JPEG"),
        ("text.png", "got a file in another format; allowed: PNG, JPEG"),
        ("missing.png", "got no such file"),
        ("pipe.png", "got no regular file"),
        ("", "got a folder"),
    ):
        with pytest.raises(InputError, match=got):
            read_picture(tmp_path / name)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "AVIF", "GIF"])
def test_large_pictures_are_refused_before_decoding(tmp_path, make_levels, format, monkeypatch):
    path = saved(tmp_path, make_levels("RGB"), format)
    assert read_picture(path, max_pixels=19 * 23).width == 23
    with pytest.raises(
        InputError, match=r"too large; got 23 × 19 pixels; allowed: up to 436 .* --max-pixels"
    ):
        read_picture(path, max_pixels=19 * 23 - 1)


def test_a_bomb_is_refused_at_once(tmp_path):
    size = struct.pack(">LLBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    head = struct.pack(">L", 13) + b"IHDR" + size + struct.pack(">L", zlib.crc32(b"IHDR" + size))
    data = zlib.compress(bytes(10_000_000))
    body = struct.pack(">L", len(data)) + b"IDAT" + data + struct.pack(">L", zlib.crc32(b"IDAT" + data))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + body)
    with pytest.raises(InputError, match="too large; got 60000 × 60000 pixels; allowed: up to 180,000,000"):
        read_picture(tmp_path / "bomb.png")


def test_pillow_limit_does_not_count(tmp_path, make_levels, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for format in ("PNG", "JPEG", "TIFF", "BMP"):
        assert read_picture(saved(tmp_path, make_levels("RGB"), format)).width == 23


@pytest.mark.parametrize(
    ("mode", "got"), [("F", "float samples; allowed: 8 or 16 bits"), ("LAB", "a TIFF in Lab")]
)
def test_unusual_tiff_is_refused(tmp_path, mode, got):
    Image.new(mode, (4, 4)).save(tmp_path / "x.tif")
    with pytest.raises(InputError, match=f"got {got}"):
        read_picture(tmp_path / "x.tif")


@pytest.mark.parametrize(
    "name", ["a[b].tif", "späte Ärzte 图.tif", os.fsdecode(b"not \xff utf-8.tif"), "-n.tif"]
)
def test_any_file_name(tmp_path, make_levels, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    levels = make_levels("RGB")
    os.rename(saved(tmp_path, levels, "TIFF"), tmp_path / name)
    np.testing.assert_array_equal(to_array(read_picture(Path(name))), levels)


def test_a_changed_file_is_read_anew(tmp_path, make_levels):
    levels = make_levels("RGB", 8)
    for shade in (levels, 255 - levels):
        np.testing.assert_array_equal(to_array(read_picture(saved(tmp_path, shade, "TIFF"))), shade)


def test_no_bad_file_does_harm(shared_data, capfd):
    """Damaged, hostile and odd files: read, or refused in one line; nothing is printed."""
    files = [path for path in sorted((shared_data / "bad").rglob("*")) if path.is_file()]
    assert len(files) > 1500
    refusals: list[str] = []
    for path in files:
        try:
            picture = read_picture(path)
        except RelumeError as error:
            refusals.append(str(error))
        else:
            assert picture.pixels.shape[2] == 3
            assert np.isfinite(picture.pixels).all()
    assert len(refusals) < len(files) - 190
    assert not [refusal for refusal in refusals if "\n" in refusal or len(refusal) > 500]
    assert capfd.readouterr() == ("", "")


def test_suffixes_are_lower_case():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in READABLE_SUFFIXES)


def test_threads_hide_warnings_and_leave_the_filters_as_they_were(tmp_path, make_levels):
    damaged = b"Exif\0\0II*\0\x08\0\0\0\xff\xff"  # Pillow opens this with a warning
    path = saved(tmp_path, make_levels("RGB"), "JPEG", exif=damaged)
    with pytest.warns(UserWarning, match="Corrupt EXIF"), Image.open(path):
        pass
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(read_picture, [path] * 64))) == 64
    assert warnings.filters == before
