"""The Python face: open a model, call it on a picture."""

from pathlib import Path
from threading import Lock
from typing import Any, Self, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume.backends import Backend, open_backend
from relume.card import ModelCard, Task
from relume.engine.restore import Progress, resize, restore, target_size
from relume.errors import UsageError
from relume.image import Picture, from_array, from_pil, read_picture, to_array, to_pil, write_picture
from relume.zoo import default_model, find_model


class Options(TypedDict, total=False):
    """What a restoration may be told.

    Attributes:
        scale: size of the result relative to the input; by default the model's scale.
        width: columns of the result; without ``height`` the aspect is kept.
        height: rows of the result; without ``width`` the aspect is kept.
        tile: side of the tiles in input pixels; 0 chooses by the free memory.
        progress: called with the numbers of done and of all tiles.
    """

    scale: float | None
    width: int | None
    height: int | None
    tile: int
    progress: Progress | None


class Model:
    """A model that is loaded and ready. Several threads may use it: the network runs for one at a time.

    Attributes:
        card: what the model is.
        backend: what runs it.
    """

    def __init__(self, card: ModelCard, backend: Backend):
        self.card = card
        self.backend = backend
        self._lock = Lock()
        self._closed = False

    @overload
    def __call__(self, image: str | Path | Image.Image, **options: Unpack[Options]) -> Image.Image: ...
    @overload
    def __call__(self, image: NDArray[Any], **options: Unpack[Options]) -> NDArray[Any]: ...
    def __call__(
        self, image: str | Path | Image.Image | NDArray[Any], **options: Unpack[Options]
    ) -> Image.Image | NDArray[Any]:
        """Restore a picture.

        Args:
            image: path of a file, PIL picture, or array (HW or HWC; uint8, uint16, or float in [0, 1]).
            **options: see :class:`Options`.

        Returns:
            The same kind: a PIL picture for a path or a PIL picture, an array of equal type for an array.

        Raises:
            InputError: if the picture cannot be used.
            UsageError: if an option or the kind of ``image`` is not allowed, or the model is closed.
            OutOfMemory: if the picture does not fit, even in small tiles.
        """
        if isinstance(image, np.ndarray):
            return to_array(self.restore_picture(from_array(image), **options), like=image)
        if isinstance(image, Image.Image):
            return to_pil(self.restore_picture(from_pil(image), **options))
        if isinstance(image, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
            return to_pil(self.restore_picture(read_picture(image), **options))
        raise UsageError(
            "cannot restore this kind of object",
            got=type(image).__name__,
            allowed=("a path", "a PIL picture", "a NumPy array"),
        )

    def restore_picture(
        self,
        picture: Picture,
        *,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        tile: int = 0,
        progress: Progress | None = None,
    ) -> Picture:
        """Restore a picture with all that belongs to it.

        A grey picture stays grey: the three channels that the network makes of it are averaged. Alpha is a
        mask, not a photo: it is enlarged by the bicubic kernel, in which networks see no texture to invent.

        Args:
            picture: what was read.
            scale: see :class:`Options`.
            width: see :class:`Options`.
            height: see :class:`Options`.
            tile: see :class:`Options`.
            progress: see :class:`Options`.

        Raises:
            UsageError: if an option is not allowed or the model is closed.
            OutOfMemory: if the picture does not fit, even in small tiles.
        """
        size = target_size(picture.height, picture.width, self.card.scale, scale, width, height)
        with self._lock:
            if self._closed:
                raise UsageError(f"the model {self.card.name} is closed", hint="open it again")
            pixels = restore(self.backend, self.card, picture.pixels, tile=tile, progress=progress)
        pixels = resize(pixels, *size)
        if picture.grey:
            pixels[:] = pixels.mean(axis=2, keepdims=True)
        return picture.replace(
            pixels=pixels, alpha=None if picture.alpha is None else resize(picture.alpha, *size)
        )

    def close(self) -> None:
        """Give back the memory that the model holds, once a picture in work is done. Again does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_model(
    name: str | None = None, *, device: str = "auto", scale: float | None = None, task: Task | None = None
) -> Model:
    """Load a model.

    Args:
        name: full name, family, or path of an ``.onnx`` or ``.safetensors`` file; None: the default one.
        device: see :func:`relume.backends.open_backend`.
        scale: which of a family: the smallest that is not below this, or else the largest.
        task: ``upscale`` or ``deblur``: what it must do. None: whatever it does, and to upscale by default.

    Raises:
        UsageError: if there is no such model or device, or the model has another task.
        InputError: if the model file is damaged.
    """
    found = find_model(name or default_model(task or "upscale"), scale, task)
    return Model(found.card, open_backend(found.path, found.card, device=device))


def upscale(
    src: str | Path,
    dst: str | Path,
    *,
    model: str | None = None,
    scale: float | None = None,
    width: int | None = None,
    height: int | None = None,
    tile: int = 0,
    device: str = "auto",
    format: str | None = None,
) -> Path:
    """Enlarge a picture file.

    Args:
        src: the file to read.
        dst: the file to write.
        model: as ``name`` of :func:`open_model`.
        scale: see :class:`Options`.
        width: see :class:`Options`.
        height: see :class:`Options`.
        tile: see :class:`Options`.
        device: see :func:`relume.backends.open_backend`.
        format: of ``dst``, by default as its suffix says.

    Returns:
        ``dst``.

    Raises:
        UsageError: if there is no such model or device, the model does not upscale, or an option is not
            allowed.
        InputError: if the picture or the model is damaged.
        OutputError: if ``dst`` cannot be written.
        OutOfMemory: if the picture does not fit, even in small tiles.
    """
    options: Options = {"scale": scale, "width": width, "height": height, "tile": tile}
    return _restore_file("upscale", src, dst, model, device, format, options)


def deblur(
    src: str | Path,
    dst: str | Path,
    *,
    model: str | None = None,
    tile: int = 0,
    device: str = "auto",
    format: str | None = None,
) -> Path:
    """Sharpen a blurred picture file.

    Args:
        src: the file to read.
        dst: the file to write, of the same size.
        model: as ``name`` of :func:`open_model`.
        tile: see :class:`Options`.
        device: see :func:`relume.backends.open_backend`.
        format: of ``dst``, by default as its suffix says.

    Returns:
        ``dst``.

    Raises:
        UsageError: if there is no such model or device, the model does not deblur, or an option is not
            allowed.
        InputError: if the picture or the model is damaged.
        OutputError: if ``dst`` cannot be written.
        OutOfMemory: if the picture does not fit, even in small tiles.
    """
    return _restore_file("deblur", src, dst, model, device, format, {"tile": tile})


def _restore_file(
    task: Task,
    src: str | Path,
    dst: str | Path,
    model: str | None,
    device: str,
    format: str | None,
    options: Options,
) -> Path:
    if Path(src).exists() and Path(dst).exists() and Path(dst).samefile(src):
        raise UsageError("the result would replace its own picture", got=dst, hint="choose another name")
    with open_model(model, device=device, scale=options.get("scale"), task=task) as opened:
        result = opened.restore_picture(read_picture(src), **options)
    write_picture(result, dst, format=format)
    return Path(dst)
