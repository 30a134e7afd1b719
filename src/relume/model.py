"""The Python face: open a model, call it on a picture."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Self, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relume import __version__
from relume.backends import Backend, Depth, open_backend, prefers_int8
from relume.card import ModelCard, Task
from relume.engine.memory import graph_bytes
from relume.engine.restore import Pixels, Progress, restore, target_size
from relume.engine.tiles import Shape
from relume.errors import UsageError
from relume.image import (
    Animation,
    Levels,
    Picture,
    Result,
    Scan,
    Strips,
    from_array,
    from_pil,
    read_picture,
    small_copy,
    to_array,
    to_pil,
    with_provenance,
)
from relume.restoration import Restoration
from relume.suggestions import did_you_mean
from relume.workload import Workload, parts_of, workload
from relume.zoo import ModelFile, default_model, find_model, in_float32
from relume.zoo.mixing import mix


class Treatment(TypedDict, total=False):
    """What a restoration may be told.

    Attributes:
        tile: side of the tiles in input pixels; 0 chooses by the free memory.
        ensemble: mean of the results for the picture turned and mirrored in all eight ways: eight times the
            work, a little more accurate.
        lock_colours: give the result the low frequencies of its input; by default where the model's card says
            that it was trained adversarially.
        consistent: make the result give its input back when it is made small again (at the model's scale).
        wrap: treat the picture as a texture that continues over its borders.
        show_invented: put a map of what the input does not determine into :attr:`Picture.invented`.
        provenance: say in the result's XMP which model worked on it; by default yes.
        progress: called with the numbers of done and of all parts.
    """

    tile: int
    ensemble: bool
    lock_colours: bool | None
    consistent: bool
    wrap: bool
    show_invented: bool
    provenance: bool
    progress: Progress | None


class Options(Treatment, total=False):
    """:class:`Treatment`, and the size of the result.

    Attributes:
        scale: size of the result relative to the input; by default the model's scale.
        width: columns of the result; without ``height`` the aspect is kept.
        height: rows of the result; without ``width`` the aspect is kept.
    """

    scale: float | None
    width: int | None
    height: int | None


def refuse_unknown(options: Treatment, kind: type[Treatment]) -> None:
    """Refuse options that a call does not have, which Python itself lets through.

    Raises:
        UsageError: if a key of ``options`` is none of ``kind``.
    """
    known = kind.__annotations__
    for name in options:
        if name not in known:
            raise UsageError("unknown option", got=name, allowed=known, hint=did_you_mean(name, known))


class Model:
    """A model that is loaded and ready. Several threads may use it: the network runs for one at a time.

    Attributes:
        card: what the model is.
        backend: what runs it.
        strength: of what the network adds to the picture enlarged by its kernel, how much is kept.
    """

    def __init__(self, card: ModelCard, backend: Backend, strength: float = 1.0):
        self.card = card
        self.backend = backend
        self.strength = strength
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
            restored = self._whole(from_array(image), options, in_levels=image.dtype == np.uint8)
            return restored.levels if isinstance(restored, Levels) else to_array(restored, like=image)
        if isinstance(image, Image.Image):
            return to_pil(self._whole(from_pil(image), options, in_levels=True))
        if isinstance(image, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
            return to_pil(self._whole(read_picture(image), options, in_levels=True))
        raise UsageError(
            "cannot restore this kind of object",
            got=type(image).__name__,
            allowed=("a path", "a PIL picture", "a NumPy array"),
        )

    def restore_picture(self, picture: Picture, **options: Unpack[Options]) -> Picture:
        """Restore a picture with all that belongs to it.

        A grey picture stays grey: the three channels that the network makes of it are averaged. Alpha is a
        mask, not a photo: it is enlarged by the bicubic kernel, in which networks see no texture to invent.

        Args:
            picture: what was read.
            **options: see :class:`Options`.

        Raises:
            UsageError: if an option is not allowed or the model is closed.
            OutOfMemory: if the picture does not fit, even in small tiles.
        """
        restored = self._whole(picture, options, in_levels=False)
        assert isinstance(restored, Picture)
        return restored

    def _whole(self, picture: Picture, options: Options, *, in_levels: bool) -> Picture | Levels:
        height, width = self.size_of((picture.height, picture.width), **options)
        return self._rows(picture, options, (height, width), [(0, height)], 0, in_levels=in_levels)

    def restore_image(self, image: Picture | Scan | Animation, **options: Unpack[Options]) -> Result:
        """Restore a picture or an animation for a file; what is large is restored while it is written.

        Args:
            image: what :func:`relume.image.read_image` gave.
            **options: see :class:`Options`.

        Returns:
            What :func:`relume.image.write_image` takes. Of a picture the same as :meth:`restore_picture`, in
            whole levels where it is opaque, in colour and with 8 bits; in strips if it has more than
            :data:`relume.workload.LARGEST_PART` pixels and the model does not need the whole picture at once.

        Raises:
            UsageError: if an option is not allowed.
            OutOfMemory: if the picture does not fit, even in small tiles.
        """
        height, width = self.size_of((image.height, image.width), **options)
        if isinstance(image, Animation):
            return self._animation(image, options, height, width)
        parts = parts_of(self.card, image.height, image.width, height, width)
        restored = (
            self._rows(image, options, (height, width), parts, i, in_levels=True) for i in range(len(parts))
        )
        if len(parts) == 1:
            return next(restored)
        return Strips(height, width, restored, small_copy(image))

    def workload(self, size: tuple[int, int], **options: Unpack[Options]) -> Workload:
        """What :meth:`restore_image` has to do for a picture of so many rows and columns.

        Raises:
            UsageError: if an option is not allowed.
            OutOfMemory: if the picture does not fit.
        """
        out_size = self.size_of(size, **options)
        restoration = self._restoration(options, 0, 1)
        return workload(self.card, restoration, size, out_size, options.get("tile", 0), self.backend.name)

    def graph_bytes(self, windows: Collection[Shape]) -> int:
        """What the network is planned to need, see :func:`relume.engine.memory.graph_bytes`."""
        return graph_bytes(self.card, self.backend.name, windows)

    def _animation(self, animation: Animation, options: Options, height: int, width: int) -> Animation:
        if options.get("show_invented"):
            raise UsageError(
                "there is no map of what is invented for animations", hint="leave --show-invented out"
            )
        num_frames = len(animation.durations_ms)

        def restored(index: int, frame: Picture) -> Picture:
            frame_options: Options = {
                **options,
                "progress": _progress(options.get("progress"), index, num_frames)(),
            }
            return self.restore_picture(frame, **frame_options)

        return animation.mapped(restored, height, width)

    def size_of(self, size: tuple[int, int], **options: Unpack[Options]) -> tuple[int, int]:
        """Rows and columns of the result for a picture of so many.

        Raises:
            UsageError: if an option is not allowed.
        """
        refuse_unknown(options, Options)
        asked = (options.get(side) for side in ("scale", "width", "height"))
        return target_size(*size, self.card.scale, *asked)

    def _rows(
        self,
        picture: Picture | Scan,
        options: Options,
        size: tuple[int, int],
        parts: list[tuple[int, int]],
        index: int,
        *,
        in_levels: bool,
    ) -> Picture | Levels:
        """One of the parts, given by first row and end, of the result; in whole levels where they do."""
        (height, width), (first, last) = size, parts[index]
        restoration = self._restoration(options, index, len(parts))
        xmp = self._provenance(picture.xmp) if options.get("provenance", True) else picture.xmp
        plain = picture.bits == 8 and picture.alpha is None and not picture.grey
        if in_levels and plain and not options.get("show_invented"):
            levels = restoration.levels(picture.pixels, height, width, first, last)
            return Levels(levels, **vars(replace(picture.metadata(), xmp=xmp)))
        pixels = restoration.rows(picture.pixels, height, width, first, last)
        if picture.grey:
            pixels[:] = pixels.mean(axis=2, keepdims=True)
        result = picture.replace(pixels=pixels, alpha=None, xmp=xmp)
        if picture.alpha is not None:
            result = result.replace(alpha=restoration.mask_rows(picture.alpha, height, width, first, last))
        if options.get("show_invented"):
            departure = restoration.departure_rows(picture.pixels, pixels, height, width, first)
            result = result.replace(invented=departure)
        return result

    def _restoration(self, options: Options, index: int, count: int) -> Restoration:
        """What is done to one of several parts."""
        card, ensemble = self.card, options.get("ensemble", False)
        consistent, locked = options.get("consistent", False), options.get("lock_colours")
        if consistent and card.task != "upscale":
            raise UsageError(f"{card.name} does not enlarge: a consistent result would be the picture itself")
        calls = count * (8 if ensemble else 1)
        tell = _progress(options.get("progress"), index * calls // count, calls)
        return Restoration(
            network=partial(self._run, tile=options.get("tile", 0), tell=tell),
            scale=card.scale,
            reach_px=card.halo_px,
            multiple=card.size_multiple,
            kernel=card.downsampling,
            strength=self.strength,
            ensemble=ensemble,
            lock_colours=card.adversarial if locked is None else locked,
            consistent=consistent,
            wrap=options.get("wrap", False),
        )

    def _run(
        self,
        pixels: Pixels,
        /,
        depth: Depth = np.float32,
        *,
        tile: int,
        tell: Callable[[], Progress],
    ) -> NDArray[Any]:
        with self._lock:
            if self._closed:
                raise UsageError(f"the model {self.card.name} is closed", hint="open it again")
            return restore(self.backend, self.card, pixels, tile=tile, progress=tell(), depth=depth)

    def _provenance(self, xmp: bytes | None) -> bytes:
        return with_provenance(
            xmp,
            f"relume {self.card.name}",
            f"relume {__version__}, weights sha256 {self.card.weights_sha256}",
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


def _progress(progress: Progress | None, begun: int, calls: int) -> Callable[[], Progress]:
    """What to tell the progress of each call of the network, of which some are done and so many are to be."""
    numbers = count(begun)

    def tell() -> Progress:
        number = next(numbers)

        def advance(done: int, total: int) -> None:
            if progress:
                progress(number * total + done, calls * total)

        return advance

    return tell


def open_model(
    name: str | None = None,
    *,
    device: str = "auto",
    scale: float | None = None,
    task: Task | None = None,
    strength: float = 1.0,
) -> Model:
    """Load a model.

    Args:
        name: full name, family, or path of an ``.onnx`` or ``.safetensors`` file; None: the default family.
            Of a family, the model in 8 bits is taken where that is faster.
        device: see :func:`relume.backends.open_backend`.
        scale: which of a family: the smallest that is not below this, or else the largest.
        task: ``upscale`` or ``deblur``: what it must do. None: whatever it does, and to upscale by default.
        strength: how much of what the model adds is kept, 0 to 1. Where its card names a counterpart that was
            trained without invention, 0 is that one's result, and the weights are mixed between the two;
            elsewhere 0 is the picture enlarged by the model's downsampling kernel, and results are mixed.

    Raises:
        UsageError: if there is no such model or device, or the model has another task.
        InputError: if the model file is damaged.
    """
    if not 0 <= strength <= 1:
        raise UsageError("strength is out of range", got=strength, allowed="0 to 1")
    found = find_model(name or default_model(task or "upscale"), scale, task, int8=prefers_int8(device))
    if strength < 1 and found.card.counterpart:
        return _open_mixed(found, strength, device)
    return Model(found.card, open_backend(found.path, found.card, device=device), strength)


def _open_mixed(found: ModelFile, strength: float, device: str) -> Model:
    """The model between one and its counterpart, in float32: weights in 8 bits cannot be mixed."""
    found = in_float32(found)
    content = mix(found, find_model(found.card.counterpart), strength)
    with TemporaryDirectory(prefix="relume-") as folder:
        path = Path(folder, found.path.name)
        path.write_bytes(content)
        return Model(found.card, open_backend(path, found.card, device=device))
