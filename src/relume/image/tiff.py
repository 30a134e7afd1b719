"""TIFF, 8 and 16 bits, through libvips: Pillow squashes 16-bit RGB and fails on compressed TIFF with EXIF."""

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.errors import InputError, UsageError
from relume.image import libvips
from relume.image.colour import convert_to_srgb
from relume.image.encoder import LevelStrips, image_to_save
from relume.image.exif import ORIENTATION
from relume.image.picture import Metadata
from relume.image.tags import retag, storage_of_tiff, tags_of_tiff

_COMPRESSION, _PHOTOMETRIC, _EXTRA_SAMPLES = 259, 262, 338  # tags, and some of their values:
_JPEG, _YCBCR, _LAB, _NO_ALPHA = 7, 6, 8, 0
_ALWAYS_SET = {ORIENTATION}  # by libvips
_RESOLUTION = {282, 283, 296}  # libvips makes one up

_MM_PER_INCH = 25.4
_DEFLATE_LEVEL = 2  # as for PNG; with 6 twice the time
_LARGEST_CLASSIC = 4_000_000_000  # bytes; offsets have 32 bits
COMPRESSIONS: Final = {
    "raw": "none",
    "tiff_adobe_deflate": "deflate",
    "tiff_lzw": "lzw",
    "packbits": "packbits",
}
"""Names of compressions in Pillow -> in libvips."""


def opened(file: BinaryIO, path: Path) -> Any:
    """The first page, by its header.

    Raises:
        InputError: if the colours are Lab, which libvips does not read.
    """
    if storage_of_tiff(path).get(_PHOTOMETRIC) == _LAB:
        raise InputError(
            f"cannot read {path}", got="a TIFF in Lab", allowed="grey, RGB, CMYK", hint="convert it"
        )
    return libvips.opened("tiffload", file)


def levels_of(image: Any, path: Path) -> NDArray[Any]:
    """Decode to HWC levels, grey or RGB with or without alpha.

    Raises:
        InputError: if samples are not whole numbers of up to 16 bits.
    """
    image, convert = _channels_of(image, path)
    levels = libvips.levels_of(image)
    return convert(levels) if convert else levels


def rows_of(image: Any, path: Path) -> libvips.DecodedRows:
    """The same, decoded to the disk."""
    return libvips.decoded(*_channels_of(image, path))


def _channels_of(image: Any, path: Path) -> tuple[Any, libvips.Convert | None]:
    """The channels that count, and how to convert them if they are neither grey nor RGB."""
    if image.format not in ("uchar", "ushort"):
        raise InputError(
            f"cannot read {path}", got=f"{image.format} samples", allowed="8 or 16 bits a channel"
        )
    if image.interpretation == "cmyk":
        return image, partial(_rgb_of, "CMYK", icc=_field(image, "icc-profile-data"))
    storage = storage_of_tiff(path)
    if storage.get(_PHOTOMETRIC) == _YCBCR and storage.get(_COMPRESSION) != _JPEG:
        return image, partial(_rgb_of, "YCbCr")  # libvips takes it for RGB
    colours = 1 if image.bands < 3 or image.interpretation in ("b-w", "grey16") else 3
    has_alpha = image.bands > colours and storage.get(_EXTRA_SAMPLES) != _NO_ALPHA
    return image.extract_band(0, n=colours + has_alpha), None


def metadata_of(image: Any, path: Path) -> Metadata:
    """Tags, profile, XMP and resolution."""
    has_resolution = _field(image, "resolution-unit") is not None
    return Metadata(
        exif=tags_of_tiff(path),
        icc=_field(image, "icc-profile-data"),
        xmp=xmp_of(image),
        iptc=_field(image, "iptc-data"),
        dpi=(image.xres * _MM_PER_INCH, image.yres * _MM_PER_INCH) if has_resolution else None,
    )


def xmp_of(image: Any) -> bytes | None:
    """The XMP packet."""
    return _field(image, "xmp-data")


def write_tiff(
    levels: NDArray[Any] | LevelStrips, metadata: Metadata, path: Path, *, compression: str
) -> None:
    """Encode HWC levels, row after row; other parameters as :func:`relume.image.writing.write_picture`.

    Raises:
        UsageError: if the compression is unknown.
    """
    import pyvips

    if compression not in COMPRESSIONS:
        raise UsageError("unknown TIFF compression", got=compression, allowed=COMPRESSIONS)

    options: dict[str, Any] = {
        "compression": COMPRESSIONS[compression],
        "predictor": "horizontal",
        "level": _DEFLATE_LEVEL,
    }
    if metadata.dpi is not None:
        options |= {
            "resunit": "inch",
            "xres": metadata.dpi[0] / _MM_PER_INCH,
            "yres": metadata.dpi[1] / _MM_PER_INCH,
        }
    huge = levels.nbytes > _LARGEST_CLASSIC
    with path.open("wb+") as file, image_to_save(levels) as opened_image:
        image = opened_image.copy()
        for name, blob in (("icc-profile-data", metadata.icc), ("xmp-data", metadata.xmp)):
            if blob is not None:
                image.set_type(pyvips.GValue.blob_type, name, blob)
        image.tiffsave_target(pyvips.Target.new_to_descriptor(file.fileno()), bigtiff=huge, **options)
    if not huge:
        retag(
            path,
            metadata.exif,
            metadata.iptc,
            without=_ALWAYS_SET if metadata.dpi else _ALWAYS_SET | _RESOLUTION,
        )


def _rgb_of(mode: str, levels: NDArray[Any], icc: bytes | None = None) -> NDArray[np.uint8]:
    """Convert CMYK or YCbCr with Pillow, which has 8 bits for them."""
    levels = levels[..., : Image.getmodebands(mode)]
    levels = levels if levels.dtype == np.uint8 else (levels >> 8).astype(np.uint8)
    image = Image.frombytes(mode, levels.shape[1::-1], levels.tobytes())
    return np.asarray(convert_to_srgb(image, icc) if mode == "CMYK" else image.convert("RGB"))


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None
