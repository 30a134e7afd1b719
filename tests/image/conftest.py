"""Pictures that the tests of relume.image share."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


@pytest.fixture(scope="session")
def make_levels() -> Callable[..., NDArray[Any]]:
    """HWC levels of a kind; with alpha, some pixels are fully transparent and some fully opaque."""

    def make(kind: str, bits: int = 8, shape: tuple[int, int] = (19, 23)) -> NDArray[Any]:
        levels = np.random.default_rng(1).integers(0, 1 << bits, (*shape, CHANNELS[kind]), f"uint{bits}")
        if kind.endswith("A"):
            levels[:5, :, -1], levels[5:9, :, -1] = 0, (1 << bits) - 1
        return levels

    return make


@pytest.fixture(scope="session")
def rgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def grey_profile() -> bytes:
    return make_grey_profile()


def make_grey_profile() -> bytes:
    """Grey in linear light (ICC v2)."""
    white = struct.pack(">4s4x3i", b"XYZ ", 0xF6D6, 0x10000, 0xD32D)
    curve = struct.pack(">4s4xL", b"curv", 0)
    text = struct.pack(">4s4xL5s67x", b"desc", 5, b"grey")
    body, table = b"", b""
    for name, data in ((b"desc", text), (b"wtpt", white), (b"kTRC", curve)):
        table += struct.pack(">4sLL", name, 168 + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">L4xL4s4s4s12x4s", 168 + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    head = head.ljust(68, b"\0") + white[8:]
    return head.ljust(128, b"\0") + struct.pack(">L", 3) + table + body


@pytest.fixture(scope="session")
def ink_profile() -> bytes:
    """The CMYK profile that libvips brings along."""
    return pyvips.Operation.call("profile_load", "cmyk")


@pytest.fixture(params=["<", ">"], ids=["little-endian", "big-endian"])
def camera_exif(request) -> bytes:
    """EXIF as a camera writes it, without prefix."""
    exif = Image.Exif()
    exif.endian = request.param
    exif[ExifTags.Base.Make] = "Camera maker"
    exif[ExifTags.Base.Orientation] = 1
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    photo[ExifTags.Base.ExposureTime] = 0.25
    photo[ExifTags.Base.ISOSpeedRatings] = 400
    photo[ExifTags.Base.LensModel] = "A lens with a long name"
    photo[ExifTags.Base.MakerNote] = b"what the maker notes"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 13.5)
    return exif.tobytes().removeprefix(b"Exif\0\0")
