"""Colour profiles: which fit a picture, and conversion to sRGB where a format forces it."""

from io import BytesIO

from PIL import Image, ImageCms


def fitting_profile(icc: bytes | None, grey: bool) -> bytes | None:
    """The profile if it describes such pixels: grey ones on grey, RGB ones on colour; else None."""
    return icc if icc is not None and _space(icc) == (b"GRAY" if grey else b"RGB ") else None


def convert_to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Convert CMYK, Lab, grey or RGB through its profile, where there is one that fits, to sRGB.

    Args:
        image: mode ``CMYK``, ``LAB``, ``L`` or ``RGB``.
        icc: its profile; without one (or with a broken one) CMYK is converted as ink, others as they are.
    """
    if image.mode == "LAB":
        profile = ImageCms.createProfile("LAB")
    elif icc is not None and _space(icc) == {"CMYK": b"CMYK", "L": b"GRAY", "RGB": b"RGB "}[image.mode]:
        profile = BytesIO(icc)
    else:
        return image.convert("RGB")
    try:
        converted = ImageCms.profileToProfile(
            image,
            profile,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return image.convert("RGB")
    assert converted is not None
    return converted


def _space(icc: bytes) -> bytes:
    """The colour space in a profile's header (ICC.1:2022, 7.2.8)."""
    return icc[16:20]
