"""Files that hold a picture or an animation, whichever it is."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Unpack

from relume.image.frames import Animation, read_animation, write_animation
from relume.image.handover import Handover
from relume.image.picture import Levels, Picture, Strips
from relume.image.reading import MAX_PIXELS, read_header, read_picture, read_scan
from relume.image.scan import LARGEST_WHOLE, Scan
from relume.image.writing import SaveOptions, write_picture

Result = Picture | Levels | Strips | Animation
"""What can be written."""


def read_image(
    path: str | Path, *, max_pixels: int = MAX_PIXELS, salvage: bool = False
) -> Picture | Scan | Animation:
    """Read a file with all its frames, if it has several; a large picture need not fit into memory.

    Args:
        path: see :func:`relume.image.read_picture`.
        max_pixels: the most pixels of all frames together.
        salvage: see :func:`relume.image.read_picture`; animations are read whole or not at all.

    Raises:
        InputError: see :func:`relume.image.read_picture`; also if there are too many frames.
        OutOfMemory: see there.
    """
    animation = read_animation(Path(path), max_pixels)
    if animation:
        return animation
    header = read_header(path, max_pixels=max_pixels)
    read = read_scan if header.width * header.height > LARGEST_WHOLE else read_picture
    return read(path, max_pixels=max_pixels, salvage=salvage)


def write_image(
    image: Result,
    path: str | Path,
    *,
    format: str | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Write a picture or an animation; what is still to be made of it is made in the caller's thread.

    Args:
        image: what to write.
        path: where; the file appears when it is complete.
        format: see :func:`relume.image.write_picture`.
        **options: see :class:`relume.image.SaveOptions`.

    Raises:
        OutputError: see :func:`relume.image.write_picture`; also for animations in formats without frames.
        OutOfMemory: if an encoder needs more memory than there is.
    """
    if isinstance(image, Picture | Levels):
        write_picture(image, path, format=format, **options)
        return
    handover = Handover(image)
    with ThreadPoolExecutor(1, "write") as threads:
        writing = handover.make(
            lambda: threads.submit(
                handover.receive, lambda received: write_parts(received, path, format=format, **options)
            )
        )
        writing.result()


def write_parts(
    image: Strips | Animation,
    path: str | Path,
    *,
    format: str | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Write what is made meanwhile, see :class:`Handover`; else as :func:`write_image`."""
    if isinstance(image, Animation):
        write_animation(image, Path(path), format=format, **options)
    else:
        write_picture(image, path, format=format, **options)
