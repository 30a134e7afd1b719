"""From file to file in one call."""

from pathlib import Path
from typing import Unpack

from relume.card import Task
from relume.errors import UsageError
from relume.image import read_image, refuse_size, write_image
from relume.model import Options, Treatment, open_model, refuse_unknown


def upscale(
    src: str | Path,
    dst: str | Path,
    *,
    model: str | None = None,
    device: str = "auto",
    strength: float = 1.0,
    format: str | None = None,
    **options: Unpack[Options],
) -> Path:
    """Enlarge a picture file.

    Args:
        src: the file to read.
        dst: the file to write.
        model: as ``name`` of :func:`relume.open_model`.
        device: see :func:`relume.backends.open_backend`.
        strength: see :func:`relume.open_model`.
        format: of ``dst``, by default as its suffix says.
        **options: see :class:`relume.model.Options`.

    Returns:
        ``dst``.

    Raises:
        UsageError: if there is no such model or device, the model does not upscale, or an option is not
            allowed.
        InputError: if the picture or the model is damaged.
        OutputError: if ``dst`` cannot be written.
        OutOfMemory: if the picture does not fit, even in small tiles.
    """
    return _restore(src, dst, "upscale", model, device, strength, format, options)


def deblur(
    src: str | Path,
    dst: str | Path,
    *,
    model: str | None = None,
    device: str = "auto",
    strength: float = 1.0,
    format: str | None = None,
    **options: Unpack[Treatment],
) -> Path:
    """Sharpen a blurred picture file, at its size; but for that, all is as of :func:`upscale`.

    Args:
        src: the file to read.
        dst: the file to write.
        model: as ``name`` of :func:`relume.open_model`.
        device: see :func:`relume.backends.open_backend`.
        strength: see :func:`relume.open_model`.
        format: of ``dst``, by default as its suffix says.
        **options: see :class:`relume.model.Treatment`.

    Returns:
        ``dst``.
    """
    refuse_unknown(options, Treatment)
    return _restore(src, dst, "deblur", model, device, strength, format, Options(**options))


def _restore(
    src: str | Path,
    dst: str | Path,
    task: Task,
    model: str | None,
    device: str,
    strength: float,
    format: str | None,
    options: Options,
) -> Path:
    if Path(src).exists() and Path(dst).exists() and Path(dst).samefile(src):
        raise UsageError("the result would replace its own picture", got=dst, hint="choose another name")
    scale = options.get("scale")
    with open_model(model, device=device, scale=scale, task=task, strength=strength) as opened:
        image = read_image(src)
        refuse_size(Path(dst), *opened.size_of((image.height, image.width), **options), format)
        write_image(opened.restore_image(image, **options), dst, format=format)
    return Path(dst)
