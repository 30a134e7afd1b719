import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from relume.image import from_array, read_picture, write_picture
from relume.image.tags import retag, storage_of_tiff, tags_of_tiff


def described(exif: Image.Exif) -> dict:
    """What the tests look at, wherever it is stored."""
    photo, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    names = [ExifTags.Base[name] for name in ("ExposureTime", "ISOSpeedRatings", "LensModel", "MakerNote")]
    return {
        "make": exif[ExifTags.Base.Make],
        **{name.name: photo[name] for name in names},
        "latitude": (place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude]),
    }


def loaded(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


@pytest.mark.parametrize("bits", [8, 16])
def test_exif_goes_into_tiff_and_out_again(tmp_path, make_levels, camera_exif, bits):
    levels = make_levels("RGBA", bits)
    path = tmp_path / "x.tif"
    write_picture(from_array(levels).replace(exif=camera_exif), path)
    with Image.open(path) as other_reader:
        assert described(other_reader.getexif()) == described(loaded(camera_exif))
        assert other_reader.size == (23, 19)
    picture = read_picture(path)
    assert described(loaded(picture.exif)) == described(loaded(camera_exif))
    np.testing.assert_array_equal(picture.pixels, from_array(levels).pixels)


def test_storage_tags_stay_in_the_file(tmp_path):
    """Only what describes the picture comes out; sizes and strips are the file's own."""
    Image.new("L", (8, 8)).save(tmp_path / "x.tif", description="a wall", dpi=(300, 300))
    assert dict(loaded(tags_of_tiff(tmp_path / "x.tif"))) == {ExifTags.Base.ImageDescription: "a wall"}
    Image.new("L", (8, 8)).save(tmp_path / "plain.tif")
    assert tags_of_tiff(tmp_path / "plain.tif") is None


@pytest.mark.parametrize("hostile", ["loop", "huge", "beyond", "unknown kind"])
def test_hostile_tags_are_left_out(tmp_path, hostile):
    kind, count, value = {
        "loop": (4, 1, 8),
        "huge": (2, 1 << 31, 8),
        "beyond": (2, 100, 1 << 30),
        "unknown kind": (99, 1, 8),
    }[hostile]
    tag = 0x8769 if hostile == "loop" else 271
    block = struct.pack("<2sHL", b"II", 42, 8) + struct.pack("<H HHLL L", 1, tag, kind, count, value, 0)
    (tmp_path / "x.tif").write_bytes(block)
    assert not dict(loaded(tags_of_tiff(tmp_path / "x.tif") or b"")).get(271)


@pytest.mark.parametrize("damaged", [b"", b"II*\0", b"nonsense", b"MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_exif_adds_nothing(tmp_path, damaged):
    path = tmp_path / "x.tif"
    Image.new("L", (8, 8)).save(path)
    before = storage_of_tiff(path)
    retag(path, damaged)
    assert storage_of_tiff(path) == before
    Image.open(path).load()
