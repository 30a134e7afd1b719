import struct

import pytest
from PIL import ExifTags, Image

from relume.image.exif import has_thumbnail, orientation, resized, upright, with_thumbnail
from relume.image.xmp import resized_xmp, upright_xmp

MAKER_NOTE = b"maker's offsets count from the start of the block"
THUMBNAIL = b"\xff\xd8 a thumbnail \xff\xd9"


def exif_block(order="<", turn=6):
    """EXIF of a 400 × 300 picture, with a maker note, a place and a thumbnail."""
    exif = Image.Exif()
    exif.endian = order
    exif[ExifTags.Base.Make] = "Camera maker"
    exif[ExifTags.Base.Orientation] = turn
    exif[ExifTags.Base.ImageWidth] = 400
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    photo[ExifTags.Base.ExposureTime] = 0.25
    photo[ExifTags.Base.ExifImageWidth] = 400
    photo[ExifTags.Base.ExifImageHeight] = 300
    photo[ExifTags.Base.MakerNote] = MAKER_NOTE
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    block = bytearray(exif.tobytes()[6:])
    second, thumbnail = len(block), len(block) + 30
    count = struct.unpack_from(f"{order}H", block, 8)[0]
    struct.pack_into(f"{order}L", block, 10 + 12 * count, second)
    block += struct.pack(f"{order}H HHLL HHLL L", 2, 0x201, 4, 1, thumbnail, 0x202, 4, 1, len(THUMBNAIL), 0)
    return bytes(block) + THUMBNAIL


def tags(block):
    exif = Image.Exif()
    exif.load(block)
    return exif


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_read_and_taken_back(order, turn):
    block = exif_block(order, turn)
    assert orientation(block) == turn
    assert orientation(upright(block)) == 1
    assert len(upright(block)) == len(block)


@pytest.mark.parametrize("order", ["<", ">"])
def test_resized_sets_sizes_and_drops_the_thumbnail(order):
    block = exif_block(order)
    assert THUMBNAIL in block
    after = resized(block, 80_000, 1200)
    exif, photo = tags(after), tags(after).get_ifd(ExifTags.IFD.Exif)
    assert exif[ExifTags.Base.ImageWidth] == photo[ExifTags.Base.ExifImageWidth] == 80_000
    assert photo[ExifTags.Base.ExifImageHeight] == 1200
    assert ExifTags.Base.ImageLength not in exif  # was not there
    assert THUMBNAIL not in after
    assert not exif.get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("behind", [b"", b"odd"])
def test_a_new_thumbnail_is_found_where_the_block_says(order, behind):
    block = exif_block(order)
    bare = resized(block, 1600, 1200) + behind
    assert has_thumbnail(block)
    assert not has_thumbnail(bare)
    after = with_thumbnail(bare, b"\xff\xd8 another one \xff\xd9")
    second = tags(after).get_ifd(ExifTags.IFD.IFD1)
    start, size = second[ExifTags.Base.JpegIFOffset], second[ExifTags.Base.JpegIFByteCount]
    assert after[start : start + size] == b"\xff\xd8 another one \xff\xd9"
    assert (second[ExifTags.Base.Compression], second[ExifTags.Base.ResolutionUnit]) == (6, 2)
    assert second[ExifTags.Base.XResolution] == second[ExifTags.Base.YResolution] == 72
    assert after.index(MAKER_NOTE) == block.index(MAKER_NOTE)
    assert tags(after).get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageHeight] == 1200
    assert resized(after, 1600, 1200).startswith(bare), "and can be taken out again"


def test_everything_else_stays_where_it_was():
    block = exif_block()
    after = resized(upright(block), 1600, 1200)
    assert after.index(MAKER_NOTE) == block.index(MAKER_NOTE)
    exif = tags(after)
    assert exif[ExifTags.Base.Make] == "Camera maker"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] == 0.25
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_a_thumbnail_inside_the_block_is_erased():
    after = resized(exif_block() + b"something behind", 1600, 1200)
    assert THUMBNAIL not in after
    assert after.endswith(b"something behind")


def test_damaged_blocks_are_upright_and_dropped():
    block = exif_block()
    for damaged in (b"", b"II", b"nonsense", b"II*\0\xff\xff\xff\xff", *(block[:size] for size in range(60))):
        assert orientation(damaged) in (1, 6)
        assert resized(damaged, 1, 1) is None or orientation(damaged) == 6
        assert not has_thumbnail(damaged)
    assert orientation(exif_block(turn=9)) == 1


def test_xmp_sizes_and_orientation_as_attributes_and_elements():
    xmp = b"<a tiff:Orientation='6' exif:PixelXDimension = \"400\"/><tiff:ImageLength>300</tiff:ImageLength>"
    assert b"tiff:Orientation='1'" in upright_xmp(xmp)
    after = resized_xmp(xmp, 1600, 1200)
    assert b'exif:PixelXDimension = "1600"' in after
    assert b"<tiff:ImageLength>1200</tiff:ImageLength>" in after
