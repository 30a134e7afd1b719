from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from relume.image import Animation, Picture, read_picture, to_pil, write_image, write_picture
from relume.image.exif import has_thumbnail, with_thumbnail
from relume.image.thumbnails import thumbnail_of

STALE = b"\xff\xd8 of the picture before \xff\xd9"
BROAD = np.dstack(np.broadcast_arrays(np.linspace(0, 1, 300)[:, None], np.linspace(0, 1, 400), 0.5)).astype(
    np.float32
)
"""Green grows to the right, red downwards."""


def thumbnail_in(exif):
    tags = Image.Exif()
    tags.load(exif)
    second = tags.get_ifd(ExifTags.IFD.IFD1)
    start, size = second[ExifTags.Base.JpegIFOffset], second[ExifTags.Base.JpegIFByteCount]
    return Image.open(BytesIO(exif[start : start + size]))


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "deep.png"])
def test_files_get_a_thumbnail_of_themselves(tmp_path, camera_exif, name):
    bits = 16 if name == "deep.png" else 8
    picture = Picture(BROAD, exif=with_thumbnail(camera_exif, STALE), bits=bits)
    write_picture(picture, tmp_path / name)
    exif = read_picture(tmp_path / name).exif
    assert STALE not in exif
    small = thumbnail_in(exif)
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (160, 120))
    like = Image.fromarray(np.uint8(BROAD * 255 + 0.5)).resize((160, 120), Image.Resampling.BOX)
    assert np.abs(np.float32(small) - np.float32(like)).mean() < 2


@pytest.mark.parametrize("name", ["x.tif", "x.avif"])
def test_none_rather_than_a_stale_one(tmp_path, camera_exif, name):
    write_picture(Picture(BROAD, exif=with_thumbnail(camera_exif, STALE)), tmp_path / name)
    assert STALE not in (tmp_path / name).read_bytes()
    exif = read_picture(tmp_path / name).exif
    assert exif is not None
    assert not has_thumbnail(exif)


def test_pil_pictures_get_one_too_and_their_size(camera_exif):
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + camera_exif)
    exif[ExifTags.Base.ImageWidth] = 7
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    image = to_pil(Picture(BROAD, exif=with_thumbnail(block, STALE)))
    assert image.getexif()[ExifTags.Base.ImageWidth] == 400
    assert thumbnail_in(image.info["exif"].removeprefix(b"Exif\0\0")).size == (160, 120)


@pytest.mark.parametrize("name", ["x.png", "x.webp"])
def test_animations_get_one_of_their_first_frame(tmp_path, camera_exif, name):
    frames = [Picture(pixels, exif=with_thumbnail(camera_exif, STALE)) for pixels in (BROAD, 1 - BROAD)]
    write_image(Animation(300, 400, (100, 100), 0, iter(frames)), tmp_path / name)
    with Image.open(tmp_path / name) as image:
        small = thumbnail_in(image.info["exif"].removeprefix(b"Exif\0\0"))
    assert small.size == (160, 120)
    assert np.asarray(small)[0, 0, 0] < 10


def test_none_is_made_where_there_was_none_or_it_would_cost_all_other_tags(tmp_path, camera_exif):
    full = camera_exif + bytes(64_900 - len(camera_exif))
    for exif in (camera_exif, with_thumbnail(full, STALE)):
        write_picture(Picture(BROAD, exif=exif), tmp_path / "x.jpg")
        assert not has_thumbnail(read_picture(tmp_path / "x.jpg").exif)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 1), (1, 1)), ((50, 90), (90, 50)), ((9, 5000), (160, 1)), ((3000, 3000), (160, 160))],
)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_kind_and_size(shape, size, channels, dtype):
    levels = np.zeros((*shape, channels), dtype)
    levels[..., 0] = np.iinfo(dtype).max // 2
    jpeg = thumbnail_of(levels)
    small = Image.open(BytesIO(jpeg))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", size)
    assert jpeg[2:4] != b"\xff\xe0", "EXIF allows no application segment"
    colour = {1: (127, 127, 127), 3: (127, 0, 0)}.get(channels, (255, 255, 255))  # transparent: white
    np.testing.assert_allclose(np.asarray(small)[0, 0], colour, atol=4)
