"""Files that others lose something of: made, enlarged by the command, and looked at by other software.

python -m tests.cli.hard_files docs/hard-files.md    writes the table, which test_hard_files.py compares
"""

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from tests.image.conftest import make_grey_profile

from relume.cli import run

WIDTH, HEIGHT = 24, 16
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how the upright picture is stored."""

READ = {
    "png": {},
    "jpg": {"quality": 97},
    "webp": {"lossless": True},
    "tif": {},
    "bmp": {},
    "avif": {},
    "gif": {},
    "jp2": {},
}
WRITTEN = ("png", "jpg", "webp", "tif", "bmp", "avif", "gif")
SAME = 8
"""Levels of 255 by which results, made small again, may differ on average: palettes, dithering, JPEG."""

HEAD = """\
# Hard files

Each of these {count} files was enlarged by `relume upscale FILE`, with `-f` where the result has another
format. Pillow and libvips looked at the result: *same* says that, made small again, it is the picture that
was put into the file (upright, its colours, its transparency), to a mean of {same} levels of 255 in each
channel. XMP is in every result whose format has any, as relume notes the model there. The table is written by
`python -m tests.cli.hard_files docs/hard-files.md`, and the tests make it again and compare.

| file | result | channels | bits | size | same | kept |
| --- | --- | --- | ---: | --- | --- | --- |
"""


@dataclass(frozen=True)
class HardFile:
    """One file.

    Attributes:
        what: its description in the table.
        suffix: of its name.
        make: writes it.
        format: what is asked with ``-f``.
        expected: the picture in it, RGB or RGBA; None if the file cannot be read.
    """

    what: str
    suffix: str
    make: Callable[[Path], object]
    format: str = ""
    expected: Image.Image | None = field(default_factory=lambda: scene())


def scene() -> Image.Image:
    """A picture whose four corners and sides differ."""
    rows, columns = np.indices((HEIGHT, WIDTH)) / np.array([HEIGHT, WIDTH])[:, None, None]
    levels = np.stack([40 + 170 * columns, 40 + 170 * rows, 120 + 60 * columns * rows], axis=2)
    return Image.fromarray(levels.astype(np.uint8))


def translucent() -> Image.Image:
    """The same, less and less transparent from left to right."""
    image = scene()
    image.putalpha(Image.fromarray(np.linspace(60, 255, WIDTH).astype(np.uint8)[None].repeat(HEIGHT, 0)))
    return image


def hard_files() -> list[HardFile]:
    """All of them."""
    return [*modes(), *deep(), *orientations(), *profiles(), *pairs(), *refused()]


def modes() -> list[HardFile]:
    """Every mode that Pillow has for 8 bits or less."""
    grey, halves = scene().convert("L"), scene().convert("L").point([0] * 126 + [255] * 130)
    clear = scene().convert("P", palette=Image.Palette.ADAPTIVE)
    shades, veiled = grey.convert("RGB"), translucent().convert("LA")
    dot, line = scene().crop((5, 5, 6, 6)), scene().crop((0, 5, WIDTH, 6))
    half = bytes([128] * 256)
    small_file = {"quality": 97, "subsampling": 2, "progressive": True}
    return [
        HardFile("PNG, 1 bit", ".png", saving(halves.convert("1")), expected=halves.convert("RGB")),
        HardFile("TIFF, 1 bit", ".tif", saving(halves.convert("1")), expected=halves.convert("RGB")),
        HardFile("PNG, grey", ".png", saving(grey), expected=shades),
        HardFile("JPEG, grey", ".jpg", saving(grey, quality=97), expected=shades),
        HardFile("PNG, grey with alpha", ".png", saving(veiled), expected=veiled.convert("RGBA")),
        HardFile("PNG, palette", ".png", saving(clear)),
        HardFile("PNG, grey palette", ".png", saving(grey.convert("P")), expected=shades),
        HardFile("PNG, palette, half clear", ".png", saving(clear, transparency=half), expected=half_clear()),
        HardFile("PNG, RGB", ".png", saving(scene())),
        HardFile("PNG, RGBA", ".png", saving(translucent()), expected=translucent()),
        HardFile("TIFF, RGBA", ".tif", saving(translucent()), expected=translucent()),
        HardFile("WebP, RGBA", ".webp", saving(translucent(), lossless=True), expected=translucent()),
        HardFile("JPEG, CMYK without profile", ".jpg", saving(scene().convert("CMYK"), quality=97)),
        HardFile("TIFF, CMYK without profile", ".tif", saving(scene().convert("CMYK"))),
        HardFile("JPEG, 4:2:0, progressive", ".jpg", saving(scene(), **small_file)),
        HardFile("TIFF, LZW, with EXIF", ".tif", saving(scene(), compression="tiff_lzw", exif=camera(1))),
        HardFile("PNG named .jpg", ".jpg", lambda path: scene().save(path, "PNG")),
        HardFile("PNG, 1×1", ".png", saving(dot), expected=dot),
        HardFile("PNG, 1 row", ".png", saving(line), expected=line),
    ]  # fmt: skip


def half_clear() -> Image.Image:
    """The scene, half transparent all over."""
    image = scene()
    image.putalpha(128)
    return image


def deep() -> list[HardFile]:
    """16 bits a channel."""
    grey = scene().convert("L")
    found = [
        ("grey", grey),
        ("grey with alpha", translucent().convert("LA")),
        ("RGB", scene()),
        ("RGBA", translucent()),
    ]
    return [
        HardFile(
            f"{kind.upper() if kind == 'png' else 'TIFF'}, 16-bit {name}",
            f".{kind}",
            saving_deep(image),
            expected=image.convert("RGBA" if image.mode.endswith("A") else "RGB"),
        )
        for kind in ("png", "tif")
        for name, image in found
    ]


def orientations() -> list[HardFile]:
    """Each EXIF orientation, and one in other formats."""
    stored = {turn: scene().transpose(how) for turn, how in TURNS.items()} | {1: scene()}
    files = [
        HardFile(f"JPEG, orientation {turn}", ".jpg", saving(stored[turn], quality=97, exif=camera(turn)))
        for turn in sorted(stored)
    ]
    return files + [
        HardFile(
            f"{kind.upper()}, orientation 6", f".{kind}", saving(stored[6], exif=camera(6), **READ[kind])
        )
        for kind in ("png", "webp", "tif")
    ]


def profiles() -> list[HardFile]:
    """Profiles that fit, and that do not."""
    rgb, grey, ink = srgb(), make_grey_profile(), pyvips.Operation.call("profile_load", "cmyk")
    picture, shades = scene(), scene().convert("L")
    plain, inked = shades.convert("RGB"), in_ink(picture, ink)
    return [
        HardFile("PNG, RGB, sRGB profile", ".png", saving(picture, icc_profile=rgb)),
        HardFile("PNG, grey, sRGB profile (unfit)", ".png", saving(shades, icc_profile=rgb), expected=plain),
        HardFile("PNG, RGB, CMYK profile (unfit)", ".png", saving(picture, icc_profile=ink)),
        HardFile("PNG, RGB, a broken profile", ".png", saving(picture, icc_profile=b"nonsense")),
        HardFile("JPEG, CMYK, its profile", ".jpg", saving(inked, icc_profile=ink, quality=97)),
        HardFile("TIFF, CMYK, its profile", ".tif", saving(inked, icc_profile=ink)),
        HardFile("PNG, grey, grey profile", ".png", saving(shades, icc_profile=grey), expected=plain),
        HardFile("TIFF, grey, grey profile", ".tif", saving(shades, icc_profile=grey), expected=plain),
    ]  # fmt: skip


def pairs() -> list[HardFile]:
    """Each format that is read to each that is written, with all that the first holds of metadata."""
    files: list[HardFile] = []
    for kind, options in READ.items():
        make = saving(scene(), exif=camera(1), icc_profile=srgb(), xmp=XMP, dpi=(300, 300), **options)
        files += [HardFile(f"{kind} → {other}", f".{kind}", make, other) for other in WRITTEN]
    return files


def refused() -> list[HardFile]:
    """What relume does not read, and says so."""
    levels = np.linspace(0, 1, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, 0)
    return [
        HardFile("TIFF, floats", ".tif", saving(Image.fromarray(levels)), expected=None),
        HardFile(
            "TIFF, Lab", ".tif", saving(Image.new("LAB", (WIDTH, HEIGHT), (120, 130, 140))), expected=None
        ),
        HardFile("empty", ".png", lambda path: path.write_bytes(b""), expected=None),
        HardFile("JPEG, cut off", ".jpg", cut_off, expected=None),
        HardFile("text", ".jpg", lambda path: path.write_text("not a picture"), expected=None),
    ]


def saving(image: Image.Image, **options: Any) -> Callable[[Path], None]:
    """Write with Pillow."""
    return lambda path: image.save(path, **options)


def saving_deep(image: Image.Image) -> Callable[[Path], object]:
    """Write with libvips, the levels spread over 16 bits."""
    levels = np.asarray(image).astype(np.uint16) * 257
    levels = levels if levels.ndim == 3 else levels[..., None]
    interpretation = "grey16" if levels.shape[2] < 3 else "rgb16"
    vips = pyvips.Image.new_from_array(levels).copy(interpretation=interpretation)
    return lambda path: vips.write_to_file(str(path))


def cut_off(path: Path) -> None:
    """The first half of a JPEG."""
    scene().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def camera(turn: int) -> bytes:
    """EXIF of a camera that was held so."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation] = "Camera maker", turn
    return exif.tobytes()


def srgb() -> bytes:
    """A profile of RGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def in_ink(image: Image.Image, profile: bytes) -> Image.Image:
    """RGB in CMYK by a profile."""
    source, target = ImageCms.createProfile("sRGB"), io.BytesIO(profile)
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    found = ImageCms.profileToProfile(
        image, source, target, renderingIntent=intent, outputMode="CMYK", flags=flags
    )
    assert found is not None
    return found


def rows_of(files: list[HardFile], folder: Path) -> list[str]:
    """Make, enlarge and look at them: their rows of the table."""
    paths = [folder / f"{number:03}{file.suffix}" for number, file in enumerate(files)]
    for file, path in zip(files, paths, strict=True):
        file.make(path)
    outcomes: dict[Path, dict[str, Any]] = {}
    for format in {file.format for file in files}:
        asked = [path for file, path in zip(files, paths, strict=True) if file.format == format]
        outcomes |= enlarged(asked, format, folder / "out")
    return [row(file, outcomes[path]) for file, path in zip(files, paths, strict=True)]


def enlarged(paths: list[Path], format: str, out: Path) -> dict[Path, dict[str, Any]]:
    """What the command says of each."""
    printed = io.StringIO()
    names = [str(path) for path in paths]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        run(
            [
                "upscale",
                *names,
                "-n",
                "compact-small-x4",
                "-o",
                str(out),
                "--json",
                *(["-f", format] if format else []),
            ]
        )
    lines = (json.loads(line) for line in printed.getvalue().splitlines())
    return {Path(line["input"]): line for line in lines}


def row(file: HardFile, outcome: dict[str, Any]) -> str:
    """Of the table."""
    if "error" in outcome:
        what = outcome["error"].partition("; got ")[2].partition(";")[0]
        return f"| {file.what} | refused: {what} | | | | | |"
    path = Path(outcome["output"])
    levels = levels_of(path)
    bits = 16 if levels.dtype == np.uint16 else 8
    channels = ("grey", "grey, alpha", "RGB", "RGBA")[levels.shape[2] - 1]
    same = "yes" if file.expected and is_same(levels, file.expected) else "no"
    height, width, _ = levels.shape
    format = {".jpg": "JPEG", ".tif": "TIFF"}.get(path.suffix, path.suffix[1:].upper())
    return f"| {file.what} | {format} | {channels} | {bits} | {width}×{height} | {same} | {kept(path)} |"


def levels_of(path: Path) -> NDArray[Any]:
    """A result, HWC: by libvips where Pillow would squash 16 bits."""
    if path.suffix in {".png", ".tif"}:
        levels = pyvips.Image.new_from_file(str(path)).numpy()
    else:
        with Image.open(path) as image:
            levels = np.asarray(image.convert("RGBA") if image.mode == "P" else image)
    return levels if levels.ndim == 3 else levels[..., None]


def is_same(levels: NDArray[Any], expected: Image.Image) -> bool:
    """Whether it is the picture, enlarged, with its transparency and no other."""
    found = levels / (np.iinfo(levels.dtype).max / 255)
    opaque = np.full_like(found[..., :1], 255)
    colour, alpha = (found[..., :-1], found[..., -1:]) if found.shape[2] % 2 == 0 else (found, opaque)
    rgba = np.concatenate([np.broadcast_to(colour, (*colour.shape[:2], 3)), alpha], axis=2)
    wanted = np.asarray(expected.convert("RGBA"), float)
    height, width, _ = wanted.shape
    if levels.shape[:2] != (4 * height, 4 * width):
        return False
    small = rgba.reshape(height, 4, width, 4, 4).mean(axis=(1, 3))
    return bool((abs(small - wanted).mean(axis=(0, 1)) < SAME).all())


def kept(path: Path) -> str:
    """The metadata that Pillow finds; it knows no TIFF that is grey with alpha in 16 bits."""
    try:
        with Image.open(path) as image:
            image.load()
            return ", ".join(name for name in metadata_of(image) if name)
    except UnidentifiedImageError:
        return "(not looked for)"


def metadata_of(image: Image.Image) -> list[str]:
    """Names of what is there."""
    exif, icc = image.getexif(), image.info.get("icc_profile")
    return [
        "EXIF" if exif.get(ExifTags.Base.Make) == "Camera maker" else "",
        "not upright" if exif.get(ExifTags.Base.Orientation, 1) != 1 else "",
        {b"RGB ": "RGB profile", b"GRAY": "grey profile"}[icc[16:20]] if icc else "",
        "XMP" if image.info.get("xmp") or exif.get(700) else "",
        "resolution" if [round(float(side)) for side in image.info.get("dpi", ())] == [300, 300] else "",
    ]


def table(files: list[HardFile], folder: Path) -> str:
    """The whole page."""
    return HEAD.format(count=len(files), same=SAME) + "\n".join(rows_of(files, folder)) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        Path(sys.argv[1]).write_text(table(hard_files(), Path(name)), encoding="utf-8")
