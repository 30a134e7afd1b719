"""Two pictures of the same thing, to look at: side by side, and under a slider on a page of its own."""

import base64
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template
from typing import NamedTuple

from PIL import Image

from relume.errors import InputError
from relume.files import replacing, write_text
from relume.image import read_picture
from relume.image.colour import convert_to_srgb
from relume.image.pil import to_pil
from relume.image.transparency import flatten

GAP_PX = 8
"""Width of the line between the pictures."""

LARGEST_SHAPE_DIFFERENCE = 0.02
"""Largest relative difference of the aspect ratios; enlarged sides are rounded to whole pixels."""

LARGEST_ON_PAGE = 40_000_000
"""Pixels of a picture on the page; browsers do not show much larger ones, which are made smaller."""


class Comparison(NamedTuple):
    """What was written.

    Attributes:
        picture: both side by side, PNG.
        page: HTML that needs no other file and no network.
    """

    picture: Path
    page: Path


def compare(left: str | Path, right: str | Path, stem: Path) -> Comparison:
    """Write ``<stem>.png`` and ``<stem>.html`` with two pictures, the smaller one enlarged (bicubic).

    Colours are converted to sRGB, and transparent parts laid over white.

    Args:
        left: a picture file.
        right: another one, of the same proportions.
        stem: path of the results without their suffix.

    Raises:
        InputError: if a picture cannot be read, or their proportions differ.
        OutputError: if the results cannot be written.
    """
    images = [_opaque_srgb(Path(left)), _opaque_srgb(Path(right))]
    _check_shapes(*images)
    size = max((image.size for image in images), key=lambda size: size[0] * size[1])
    equal = [image.resize(size, Image.Resampling.BICUBIC) for image in images]
    written = Comparison(stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.html"))
    with replacing(written.picture) as temporary:
        _side_by_side(*equal).save(temporary, "PNG", compress_level=2)
    names = [
        f"{Path(path).name}, {image.width} × {image.height}"
        for path, image in zip((left, right), images, strict=True)
    ]
    write_text(written.page, _page(names, equal))
    return written


def _opaque_srgb(path: Path) -> Image.Image:
    picture = read_picture(path).replace(bits=8)
    if picture.alpha is not None:
        picture = picture.replace(pixels=flatten(picture.pixels, picture.alpha, "white"), alpha=None)
    return convert_to_srgb(to_pil(picture), picture.icc)


def _check_shapes(left: Image.Image, right: Image.Image) -> None:
    ratio = (left.width * right.height) / (left.height * right.width)
    rounding = sum(1 / side for image in (left, right) for side in image.size)
    if abs(ratio - 1) > LARGEST_SHAPE_DIFFERENCE + rounding:
        raise InputError(
            "the pictures have different proportions",
            got=f"{left.width} × {left.height} and {right.width} × {right.height}",
            hint="give two pictures of the same thing",
        )


def _side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (2 * left.width + GAP_PX, left.height), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + GAP_PX, 0))
    return sheet


def _page(names: list[str], images: list[Image.Image]) -> str:
    template = Template(files("relume.compare").joinpath("page.html").read_text(encoding="utf-8"))
    left, right = (_address(image) for image in images)
    return template.substitute(
        left_name=escape(names[0]), right_name=escape(names[1]), left=left, right=right, width=images[0].width
    )


def _address(image: Image.Image) -> str:
    """The picture itself in the place of its address."""
    shrink = (LARGEST_ON_PAGE / (image.width * image.height)) ** 0.5
    if shrink < 1:
        image = image.resize(
            (int(image.width * shrink), int(image.height * shrink)), Image.Resampling.BICUBIC
        )
    content = BytesIO()
    image.save(content, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
