"""Animations: GIF, WebP, APNG and AVIF, frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Unpack

import numpy as np
from PIL import Image, ImageFile

from relume.errors import InputError, OutOfMemory, OutputError
from relume.files import replacing
from relume.image import pil
from relume.image.metadata import settled
from relume.image.picture import Picture, picture_from, turned_upright
from relume.image.reading import ANIMATED_FORMATS, decoding, open_image, opening
from relume.image.writing import DEFAULTS, SaveOptions, encoding, format_for, pillow_metadata
from relume.machine import free_ram

MOST_FRAMES: Final = 10_000
"""Animations of more frames are refused."""


@dataclass(frozen=True)
class Animation:
    """Pictures of one size that follow each other; each is the whole canvas, as a viewer shows it.

    Attributes:
        height: rows.
        width: columns.
        durations_ms: how long each frame is shown.
        plays: how often the frames are shown, 0 for ever.
        frames: as many pictures; decoded when they are asked for, once.
    """

    height: int
    width: int
    durations_ms: tuple[float, ...]
    plays: int
    frames: Iterator[Picture]

    def mapped(self, change: Callable[[int, Picture], Picture], height: int, width: int) -> "Animation":
        """The animation with every frame changed, by its number and itself, to pictures of that size."""
        frames = (change(index, frame) for index, frame in enumerate(self.frames))
        return Animation(height, width, self.durations_ms, self.plays, frames)


def read_animation(path: Path, max_pixels: int) -> Animation | None:
    """Open an animation; None for a file with a single picture, or one that cannot even be opened.

    Args:
        path: the file.
        max_pixels: the most pixels that all frames together may have.

    Raises:
        InputError: if the frames are too many or too large, or cannot be decoded.
    """
    if not _is_animated(path, max_pixels):
        return None
    with opening(path) as (file, format, _), decoding(path, format):
        image = open_image(file, path, format, max_pixels)
        first = 1 if image.info.get("default_image") else 0  # of an APNG for those who know only PNG
        plays = _plays(image, format)
        durations = _durations(image, first, path, max_pixels)
    head = next(_frames(path, format, 0, 1, max_pixels))
    frames = _frames(path, format, first, first + len(durations), max_pixels)
    return Animation(head.height, head.width, durations, plays, frames)


def write_animation(
    animation: Animation, path: Path, *, format: str | None = None, **options: Unpack[SaveOptions]
) -> None:
    """Write an animation as APNG, WebP, GIF or AVIF; all with 8 bits, and GIF with 256 colours a frame.

    Raises:
        OutputError: if the format holds single pictures only, or the file cannot be written.
        OutOfMemory: if the frames do not fit into memory together, as encoders need them.
    """
    format = format_for(path, format)
    if format not in ANIMATED_FORMATS:
        hint = "choose PNG, which loses nothing, with -f png"
        raise OutputError(
            f"cannot write {path}", got=f"an animation as {format}", allowed=ANIMATED_FORMATS, hint=hint
        )
    needed = 4 * animation.height * animation.width * len(animation.durations_ms)
    if needed > free_ram():
        raise OutOfMemory(
            f"the {len(animation.durations_ms)} frames of {path} do not fit into memory",
            got=f"{needed / 2**30:.1f} GiB needed",
            hint="choose a smaller scale",
        )
    head, images = _images(animation)
    looks = np.atleast_3d(np.asarray(images[0]))
    metadata = pillow_metadata(settled(head, animation.height, animation.width, looks), format)
    with replacing(path) as temporary, encoding(path):
        images[0].save(
            temporary,
            format,
            save_all=True,
            append_images=images[1:],
            duration=[round(duration) for duration in animation.durations_ms],
            **_looping(animation.plays, format),
            **({"disposal": 2} if format == "GIF" and images[0].mode == "RGBA" else {}),
            **metadata,
            **{**DEFAULTS[format], **options},
        )


def _is_animated(path: Path, max_pixels: int) -> bool:
    try:
        with opening(path) as (file, format, _), decoding(path, format):
            return format in ANIMATED_FORMATS and bool(
                getattr(open_image(file, path, format, max_pixels), "is_animated", False)
            )
    except InputError:
        return False


def _images(animation: Animation) -> tuple[Picture, list[Image.Image]]:
    """The first frame without its pixels, and all as PIL images of one mode."""
    head, images = None, list[Image.Image]()
    for frame in animation.frames:
        head = head or frame.replace(pixels=frame.pixels[:0])
        images.append(pil.image_of(pil.levels_for(frame, np.uint8)))
    assert head is not None
    modes = {image.mode for image in images}
    alpha = any(mode.endswith("A") for mode in modes)
    mode = "L" if modes == {"L"} else "RGBA" if alpha else "RGB"
    return head, [image if image.mode == mode else image.convert(mode) for image in images]


def _frames(path: Path, format: str, first: int, last: int, max_pixels: int) -> Iterator[Picture]:
    with opening(path) as (file, _, _):
        with decoding(path, format):
            image = open_image(file, path, format, max_pixels)
        for index in range(first, last):
            with decoding(path, format):
                image.seek(index)
                image.load()
                frame = picture_from(*turned_upright(pil.levels_of(image), pil.metadata_of(image)), format)
            yield frame


def _durations(image: ImageFile.ImageFile, first: int, path: Path, max_pixels: int) -> tuple[float, ...]:
    found: list[float] = []
    for index in range(first, getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        found.append(float(image.info.get("duration") or 0))
        if len(found) > MOST_FRAMES or len(found) * image.width * image.height > max_pixels:
            raise InputError(
                f"{path} is too large",
                got=f"more than {len(found) - 1} frames of {image.width} × {image.height} pixels",
                allowed=f"up to {MOST_FRAMES:,} frames and {max_pixels:,} pixels in all",
                hint="raise the limit with --max-pixels",
            )
    return tuple(found)


def _plays(image: ImageFile.ImageFile, format: str) -> int:
    """GIF counts repetitions, and without a number plays once; the others count what is shown."""
    loop = image.info.get("loop")
    if format == "GIF":
        return 1 if loop is None else loop and loop + 1
    return loop or 0


def _looping(plays: int, format: str) -> dict[str, int]:
    if format == "GIF":
        return {} if plays == 1 else {"loop": plays and plays - 1}
    return {} if format == "AVIF" else {"loop": plays}
