"""Metadata of a picture, as they are for a result of another size."""

from typing import Any

from numpy.typing import NDArray

from relume.image.exif import has_thumbnail, resized, with_thumbnail
from relume.image.picture import Metadata
from relume.image.thumbnails import thumbnail_of
from relume.image.xmp import resized_xmp

LARGEST_SEGMENT = 65000
"""Bytes of EXIF or a comment that go into one segment of a JPEG."""


def settled(metadata: Metadata, height: int, width: int, looks: NDArray[Any] | None) -> Metadata:
    """The metadata for a result: with its size in EXIF and XMP, and a thumbnail of it where there was one.

    Args:
        metadata: of the picture it was made of.
        height: rows of the result.
        width: columns of the result.
        looks: HWC levels of the result, or of a small copy; None: no thumbnail.
    """
    return Metadata(
        exif=metadata.exif and _exif_for(metadata.exif, height, width, looks),
        icc=metadata.icc,
        xmp=metadata.xmp and resized_xmp(metadata.xmp, width, height),
        iptc=metadata.iptc,
        dpi=metadata.dpi,
        text=metadata.text,
    )


def _exif_for(exif: bytes, height: int, width: int, looks: NDArray[Any] | None) -> bytes | None:
    """With this size, and a thumbnail if there was one and it does not make the block too large."""
    block = resized(exif, width, height)
    if block is None or looks is None or not has_thumbnail(exif):
        return block
    complete = with_thumbnail(block, thumbnail_of(looks))
    return complete if len(complete) <= LARGEST_SEGMENT else block
