"""A look at training data before hours are spent on it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from relume.data.crops import Crops
from relume.data.overlap import Named, find_overlaps
from relume.data.pairing import Degraded
from relume.data.pictures import DecodedPictures, find_pictures
from relume.degrade.bicubic import Downsample
from relume.errors import InputError, UsageError
from relume.files import replacing
from relume.image import is_own_result, read_picture

SHEET_COLUMNS, SHEET_ROWS = 8, 4


@dataclass(frozen=True)
class CheckReport:
    """What is in a data set.

    Attributes:
        num_pictures: files found.
        num_usable: files that training would use.
        megapixels: total of the usable ones.
        smallest: width and height of the smallest usable one.
        unusable: file -> why it is skipped.
        noted: what a usable picture loses in training (transparency, 16 bits) or lacks (colour, sharpness of
            its own) -> files.
        repeated: usable file -> the one before it that has the same pixels.
        excluded: usable file -> the excluded picture that it is.
    """

    num_pictures: int
    num_usable: int
    megapixels: float
    smallest: tuple[int, int]
    unusable: dict[str, str]
    noted: dict[str, list[str]]
    repeated: dict[str, str]
    excluded: dict[str, str]


def check(
    sources: Sequence[str | Path],
    *,
    crop_px: int = 96,
    scale: int = 4,
    sheet: Path | None = None,
    exclude: Sequence[str | Path] = (),
) -> CheckReport:
    """Read every picture of a data set and report on it.

    Args:
        sources: folders or lists, as for training.
        crop_px: side of the training crop; pictures with a smaller side cannot be used.
        scale: of the inputs on the sheet.
        sheet: where to write a PNG with random training crops, each beside its input.
        exclude: folders or lists of pictures that must not be trained on, such as those of an evaluation.

    Raises:
        UsageError: if ``crop_px`` is no multiple of ``scale``.
        InputError: if a source is missing, or no picture can be used; the message names the first reason.
    """
    if scale < 1 or crop_px < scale or crop_px % scale:
        raise UsageError(
            "crops do not fit the scale", got=f"{crop_px} px at ×{scale}", allowed="a multiple of the scale"
        )
    paths = find_pictures(sources)
    forbidden = find_pictures(exclude) if exclude else []
    noted: dict[str, list[str]] = {}
    for path in paths:
        for note in _notes(path):
            noted.setdefault(note, []).append(str(path))
    pictures = DecodedPictures.decode(paths, smallest_px=crop_px)
    if sheet:
        _write_sheet(pictures, crop_px, scale, sheet)
    used = [str(path) for path in paths if str(path) not in pictures.skipped]
    areas = [height * width for height, width in pictures.shapes]
    height, width = pictures.shapes[int(np.argmin(areas))]
    return CheckReport(
        num_pictures=len(paths),
        num_usable=len(pictures.files),
        megapixels=sum(areas) / 1e6,
        smallest=(width, height),
        unusable=pictures.skipped,
        noted=noted,
        repeated=_repeated(pictures, used),
        excluded=_excluded(pictures, used, forbidden) if forbidden else {},
    )


def _notes(path: Path) -> list[str]:
    try:
        picture = read_picture(path)
    except InputError:
        return []  # told as unusable
    noted = {
        "grey": picture.grey,
        "transparent (the colour is used, the transparency is not)": picture.alpha is not None,
        "16-bit (used as 8-bit)": picture.bits == 16,
        "made by relume (networks should not learn from those)": is_own_result(path),
    }
    return [note for note, applies in noted.items() if applies]


def _repeated(pictures: DecodedPictures, names: list[str]) -> dict[str, str]:
    first: dict[bytes, str] = {}
    digests = (hashlib.sha256(pictures.pixels(index).tobytes()).digest() for index in range(len(names)))
    found = {name: first.setdefault(digest, name) for name, digest in zip(names, digests, strict=True)}
    return {name: other for name, other in found.items() if name != other}


def _excluded(pictures: DecodedPictures, names: list[str], forbidden: Sequence[Path]) -> dict[str, str]:
    others = DecodedPictures.decode(forbidden, smallest_px=1)
    known = [str(path) for path in forbidden if str(path) not in others.skipped]
    return find_overlaps(_named(pictures, names), _named(others, known))


def _named(pictures: DecodedPictures, names: list[str]) -> Iterator[Named]:
    return ((name, pictures.pixels(index)) for index, name in enumerate(names))


def _write_sheet(pictures: DecodedPictures, crop_px: int, scale: int, target: Path) -> None:
    crops = Crops(pictures, Degraded(Downsample(scale), scale), crop_px, seed=0)
    cell_px = min(crop_px, 128)
    sheet = Image.new("RGB", (SHEET_COLUMNS * (cell_px + 4), SHEET_ROWS * (2 * cell_px + 8)), (32, 32, 32))
    for position in range(SHEET_COLUMNS * SHEET_ROWS):
        row, column = divmod(position, SHEET_COLUMNS)
        for below, tensor in enumerate(crops[position]):
            picture = Image.fromarray(tensor.numpy().transpose(1, 2, 0)).resize((cell_px, cell_px), 0)
            sheet.paste(picture, (column * (cell_px + 4), row * (2 * cell_px + 8) + below * (cell_px + 1)))
    ImageDraw.Draw(sheet).text((4, sheet.height - 12), "above: input, below: target", fill="white")
    with replacing(target) as temporary:
        sheet.save(temporary, "PNG")
