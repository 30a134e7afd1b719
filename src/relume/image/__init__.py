"""Pictures: files, PIL images and arrays <-> float32 RGB, with everything that must survive.

>>> from relume.image import read_picture, write_picture
>>> picture = read_picture("photo.jpg")           # upright, float32 RGB in [0, 1], alpha apart
>>> write_picture(picture, "photo.png")           # with its EXIF, colour profile, XMP and resolution
"""

from relume.image.arrays import from_array, to_array
from relume.image.files import Result, read_image, write_image, write_parts
from relume.image.frames import Animation
from relume.image.handover import Handover
from relume.image.picture import Levels, Picture, Strips
from relume.image.pil import from_pil, to_pil
from relume.image.reading import (
    HEIC_SUFFIXES,
    MAX_PIXELS,
    READABLE_SUFFIXES,
    Header,
    is_own_result,
    read_header,
    read_picture,
)
from relume.image.scan import LARGEST_WHOLE, Scan
from relume.image.thumbnails import small_copy
from relume.image.writing import WRITABLE_FORMATS, SaveOptions, refuse_size, write_picture
from relume.image.xmp import with_provenance

__all__ = [
    "HEIC_SUFFIXES",
    "LARGEST_WHOLE",
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "WRITABLE_FORMATS",
    "Animation",
    "Handover",
    "Header",
    "Levels",
    "Picture",
    "Result",
    "SaveOptions",
    "Scan",
    "Strips",
    "from_array",
    "from_pil",
    "is_own_result",
    "read_header",
    "read_image",
    "read_picture",
    "refuse_size",
    "small_copy",
    "to_array",
    "to_pil",
    "with_provenance",
    "write_image",
    "write_parts",
    "write_picture",
]
