"""The pictures on a model card: what the model does well, and where it fails."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from relume.degrade.compression import Compression
from relume.degrade.motion import MotionBlur
from relume.degrade.resize import imresize
from relume.evaluate.page import Crop, find_crops
from relume.image import read_picture
from relume.metrics.protocol import to_uint8
from relume.model import Model

TILE_PX = 208
CAPTION_PX = 22
GAP_PX = 4
BACKGROUND = (250, 250, 250)

DAMAGE = Compression(quality=(35, 35))
"""What befalls the input of the sheet ``damaged``."""

BLUR = MotionBlur(length_px=40)
"""What befalls sharp pictures where a model is to deblur them."""

Pixels = NDArray[np.uint8]

Row = Mapping[str, Pixels]
"""Tiles by their captions."""


class Scene(NamedTuple):
    """One input with its results: uint8 HWC, all of the result's size.

    Attributes:
        plain: the input, enlarged by bicubic where the model enlarges.
        result: what the model makes of the input.
        original: what the input was made of; None where nobody knows it.
    """

    plain: Pixels
    result: Pixels
    original: Pixels | None = None


def draw_sheets(model: Model, samples: Sequence[Path]) -> dict[str, Image.Image]:
    """Three sheets, by name.

    ``sample``: pictures as they are, where the model changes them most (for deblurring: blurred ones).
    ``worst``: of pictures that were made small or blurred, where the result is furthest from the original.
    ``damaged``: inputs that were also saved as poor JPEG files.
    """
    sharp = [_read(path) for path in samples]
    known = [_known(model, picture) for picture in sharp]
    scenes = [_scene(model, picture) for picture in sharp] if model.card.task == "upscale" else known
    return {
        "sample": _sheet([_row(model, scene, scene.plain) for scene in scenes]),
        "worst": _sheet([_row(model, scene, scene.original, zoom=2) for scene in known]),
        "damaged": _sheet([_row(model, scene, scene.plain) for scene in _damaged(model, sharp)]),
    }


def _known(model: Model, sharp: Pixels) -> Scene:
    """The restoration of a picture that was spoilt, beside the picture."""
    scale = model.card.scale
    height, width = (side // scale * scale for side in sharp.shape[:2])
    original = sharp[:height, :width]
    return _scene(model, _spoilt(model, original))._replace(original=original)


def _damaged(model: Model, sharp: Sequence[Pixels]) -> list[Scene]:
    inputs = sharp if model.card.task == "upscale" else [_spoilt(model, picture) for picture in sharp]
    rng = np.random.default_rng(0)
    return [_scene(model, to_uint8(DAMAGE(_unit(lq), rng))) for lq in inputs]


def _spoilt(model: Model, original: Pixels) -> Pixels:
    if model.card.task == "deblur":
        return to_uint8(BLUR(_unit(original), np.random.default_rng(0)))
    card = model.card
    return to_uint8(imresize(_unit(original), scale=1 / card.scale, kernel=card.downsampling))


def _scene(model: Model, lq: Pixels) -> Scene:
    plain = lq if model.card.scale == 1 else to_uint8(imresize(_unit(lq), scale=model.card.scale))
    return Scene(plain, model(lq))


def _row(model: Model, scene: Scene, target: Pixels | None, zoom: int = 1) -> Row:
    """The tiles where the result is furthest from ``target``, ``zoom`` times as large as they are."""
    assert target is not None
    height, width = (min(TILE_PX // zoom, side) for side in scene.result.shape[:2])
    place = find_crops(scene.result, target, height, width)[0]
    row = {"bicubic" if model.card.scale > 1 else "input": scene.plain, model.card.name: scene.result}
    if scene.original is not None:
        row["original"] = scene.original
    return {caption: _cut(pixels, place, zoom) for caption, pixels in row.items()}


def _sheet(rows: Sequence[Row]) -> Image.Image:
    """Rows one below the other; the captions, which all share, on top."""
    captions = list(rows[0])
    step = TILE_PX + GAP_PX
    sheet = Image.new("RGB", (len(captions) * step - GAP_PX, len(rows) * step + CAPTION_PX), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for column, caption in enumerate(captions):
        draw.text((column * step, 2), caption, fill="black", font_size=14)
        for line, row in enumerate(rows):
            sheet.paste(Image.fromarray(row[caption]), (column * step, CAPTION_PX + line * step))
    return sheet


def _cut(pixels: Pixels, place: Crop, zoom: int) -> Pixels:
    cut = pixels[place.top : place.top + place.height, place.left : place.left + place.width]
    return cut.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _read(path: Path) -> Pixels:
    return to_uint8(read_picture(path).pixels)


def _unit(pixels: Pixels) -> NDArray[np.float32]:
    return pixels.astype(np.float32) / np.float32(255)
