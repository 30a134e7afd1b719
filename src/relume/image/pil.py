"""PIL images <-> pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from relume.errors import InputError
from relume.image.colour import convert_to_srgb
from relume.image.iptc import IPTC_KEYWORD, IPTC_RESOURCE, records_of
from relume.image.levels import to_levels
from relume.image.metadata import settled
from relume.image.picture import Levels, Metadata, Picture, picture_from, turned_upright
from relume.image.png import XMP_KEYWORD
from relume.image.xmp import merged

EXIF_PREFIX = b"Exif\0\0"
COMMENT = "Comment"  # text of PNG <-> comment of JPEG and GIF
# Modes -> the plain mode that holds the same.
_PLAIN = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBX": "RGB",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
    "YCbCr": "RGB",
    "HSV": "RGB",
}
_INK_OR_LAB = ("CMYK", "LAB")
# Text that would contradict what is written: copies of XMP, profiles, EXIF and sizes (ImageMagick).
_NOT_TEXT = (XMP_KEYWORD, "Raw profile type", "exif:", "png:")


def from_pil(image: Image.Image) -> Picture:
    """Make a picture of a PIL image in any 8-bit mode or ``I;16``; palettes become RGB.

    An EXIF orientation that came with the image is applied.

    Raises:
        InputError: if the mode holds neither 8 nor 16 bits a channel (``I``, ``F``).
    """
    levels, metadata = turned_upright(levels_of(image), metadata_of(image))
    return picture_from(levels, metadata, "JPEG" if image.format == "MPO" else image.format or "PNG")


def to_pil(picture: Picture | Levels) -> Image.Image:
    """A PIL image with mode L, LA, RGB or RGBA, or ``I;16`` for grey 16-bit pictures without alpha.

    PIL has no other 16-bit modes; such pictures are rounded to 8 bits (write them with
    :func:`relume.image.write_picture` instead). EXIF and XMP (of this size, with a new thumbnail if there was
    one), profile and resolution are in ``image.info``.
    """
    levels = picture.levels if isinstance(picture, Levels) else _levels_in_pil(picture)
    image = image_of(levels)
    about = settled(picture, picture.height, picture.width, levels)
    exif = None if about.exif is None else EXIF_PREFIX + about.exif
    info = {"exif": exif, "icc_profile": about.icc, "xmp": about.xmp, "dpi": about.dpi}
    image.info.update({key: value for key, value in info.items() if value is not None})
    return image


def _levels_in_pil(picture: Picture) -> NDArray[Any]:
    deep = picture.bits == 16 and picture.grey and picture.alpha is None
    return levels_for(picture, np.uint16 if deep else np.uint8)


def levels_for(picture: Picture, dtype: type[np.integer[Any]]) -> NDArray[Any]:
    """HWC levels as they are written: for grey one channel (the mean of three), alpha last."""
    pixels = picture.pixels
    if picture.grey:
        pixels = (pixels[..., :1] + pixels[..., 1:2] + pixels[..., 2:]) / np.float32(3)
    levels = to_levels(pixels, dtype)
    if picture.alpha is None:
        return levels
    return np.concatenate([levels, to_levels(picture.alpha[..., None], dtype)], axis=2)


def image_of(levels: NDArray[Any]) -> Image.Image:
    """A PIL image of HWC uint8 levels, or of uint16 levels with one channel."""
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def levels_of(image: Image.Image) -> NDArray[Any]:
    """The HWC levels of a PIL image: grey or RGB, with or without alpha.

    Raises:
        InputError: see :func:`from_pil`.
    """
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode in _INK_OR_LAB:
        image = convert_to_srgb(image, image.info.get("icc_profile"))
    if image.mode not in _PLAIN:
        raise InputError(
            "unsupported picture mode",
            got=image.mode,
            allowed=[*_PLAIN, *_INK_OR_LAB, "I;16"],
            hint="convert it first",
        )
    mode = "L" if _is_grey_palette(image) else _PLAIN[image.mode]
    if (image.has_transparency_data or image.mode == "PA") and not mode.endswith("A"):
        mode += "A"
    levels = np.asarray(image if image.mode == mode else image.convert(mode))
    return levels if levels.ndim == 3 else levels[..., None]


def _is_grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return False
    colours = np.reshape(image.getpalette() or [], (-1, 3))
    return bool((colours == colours[:, :1]).all())


def metadata_of(image: Image.Image) -> Metadata:
    """What a PIL image knows beside its pixels."""
    info = image.info
    exif: bytes = info.get("exif") or b""
    chunks = _text_chunks(image)
    text: dict[Any, Any] = {**_comment(info), **chunks}
    return Metadata(
        exif=exif.removeprefix(EXIF_PREFIX) or None,
        icc=info.get("icc_profile") or None,
        xmp=xmp_of(image),
        iptc=_iptc_of(info, chunks),
        dpi=info.get("dpi"),
        text={key: str(value) for key, value in text.items() if not key.startswith(_NOT_TEXT)},
    )


def xmp_of(image: Image.Image) -> bytes | None:
    """The XMP packet that an opened image has in its header."""
    xmp: bytes | str | None = image.info.get("xmp") or None
    if isinstance(xmp, str):
        xmp = xmp.encode()
    segments: list[tuple[str, bytes]] = getattr(image, "applist", [])
    return xmp and merged(xmp, (content for name, content in segments if name == "APP1"))


def _text_chunks(image: Image.Image) -> dict[str, str]:
    """The text of a PNG; where the file ends early, what stands before the pixels."""
    if not isinstance(image, PngImageFile):
        return {}
    try:
        return image.text
    except OSError:
        return {str(key): value for key, value in image.info.items() if isinstance(value, str)}


def _iptc_of(info: dict[Any, Any], chunks: dict[str, str]) -> bytes | None:
    if raw := chunks.get(IPTC_KEYWORD):  # PNG
        return records_of(raw)
    resources: Any = info.get("photoshop", {})  # JPEG
    return (resources.get(IPTC_RESOURCE) or None) if isinstance(resources, dict) else None


def _comment(info: dict[Any, Any]) -> dict[str, str]:
    """The comment of a JPEG or GIF."""
    comment = info.get("comment")
    return {COMMENT: comment.decode("utf-8", "replace")} if isinstance(comment, bytes) and comment else {}
