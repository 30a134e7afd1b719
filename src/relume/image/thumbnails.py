"""The small pictures that EXIF blocks carry for file managers."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.image.exif import has_thumbnail
from relume.image.picture import Picture
from relume.image.scan import Scan

LONGEST_PX = 160
"""Of the longer side, as the Design rule for Camera File system has it (DCF 2.0: 160 × 120)."""

_QUALITY = 85
_ENOUGH_PX = 8 * LONGEST_PX  # a side that is looked at: pixels of gigapixels need not all be read


def thumbnail_of(levels: NDArray[Any]) -> bytes:
    """A JPEG of a picture made small, in the picture's colour space, over white where that is transparent.

    Args:
        levels: HWC, uint8 or uint16: grey or RGB, with or without alpha.

    Returns:
        A baseline JPEG in YCbCr without application segments (EXIF 2.32, 4.5.5).
    """
    height, width = levels.shape[:2]
    shrink = min(1, LONGEST_PX / max(height, width))
    seen = levels[:: max(1, height // _ENOUGH_PX), :: max(1, width // _ENOUGH_PX)]
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    file = BytesIO()
    _opaque(_in_8_bits(seen)).resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=_QUALITY)
    return _without_application_segment(file.getvalue())


def small_copy(picture: Picture | Scan) -> Picture | None:
    """Some rows and columns of a picture, as many as a thumbnail needs; None if it has none in its EXIF."""
    exif = picture.replace().exif
    if exif is None or not has_thumbnail(exif):
        return None
    columns = slice(None, None, max(1, picture.width // _ENOUGH_PX))
    rows = range(0, picture.height, max(1, picture.height // _ENOUGH_PX))

    def seen(plane: Any) -> NDArray[np.float32]:
        return np.concatenate([plane[row : row + 1][:, columns] for row in rows])

    alpha = None if picture.alpha is None else seen(picture.alpha)
    return picture.replace(pixels=seen(picture.pixels), alpha=alpha)


def _in_8_bits(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(levels if levels.dtype == np.uint8 else (levels >> 8).astype(np.uint8))


def _opaque(levels: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)
    if levels.shape[2] % 2:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _without_application_segment(jpeg: bytes) -> bytes:
    """Without the JFIF segment, which follows the two bytes that begin a JPEG."""
    assert jpeg[2:4] == b"\xff\xe0"
    return jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]
