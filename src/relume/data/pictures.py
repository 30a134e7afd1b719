"""The pictures of a training set: found, decoded once, kept as memory-mapped arrays."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError
from relume.files import make_folder, replacing
from relume.image import READABLE_SUFFIXES, read_picture


def find_pictures(sources: Iterable[str | Path]) -> list[Path]:
    """The picture files of a data set, sorted by name within each source.

    Args:
        sources: folders (searched recursively, without hidden files), pictures, ``.txt`` lists (a path a
            line) or ``.json`` lists (an array of paths); paths in lists are relative to the list.

    Raises:
        InputError: if a source is missing, is no data source, or nothing is found.
    """
    found = [path for source in sources for path in _pictures_of(Path(source))]
    if not found:
        raise InputError(
            "no pictures found",
            got=", ".join(map(str, sources)) or "no folder",
            allowed=READABLE_SUFFIXES,
            hint="name folders with pictures in them, for training with --data",
        )
    return found


def _pictures_of(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(path for path in source.rglob("*") if _is_picture(path))
    if not source.is_file():
        raise InputError(f"{source} does not exist", allowed="a folder of pictures, a picture, a list")
    if source.suffix.lower() in READABLE_SUFFIXES:
        return [source]
    try:
        text = source.read_text(encoding="utf-8")
        names = json.loads(text) if source.suffix == ".json" else filter(None, text.splitlines())
        return [source.parent / name for name in names]
    except (ValueError, TypeError) as error:
        raise InputError(f"cannot read the list {source}", got=error, allowed=".txt, .json") from error


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")  # half-written files, and what macOS puts beside pictures in archives
    return path.suffix.lower() in READABLE_SUFFIXES and not hidden and path.is_file()


@dataclass(frozen=True)
class DecodedPictures:
    """Pictures as uint8 HWC RGB arrays on disk, read through memory maps.

    Attributes:
        files: the decoded arrays.
        shapes: height and width of each, in the order of ``files``.
        skipped: source files that are not used, with the reason.
    """

    files: tuple[Path, ...]
    shapes: tuple[tuple[int, int], ...]
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def decode(
        cls, paths: Sequence[Path], *, smallest_px: int, cache: Path | None = None
    ) -> "DecodedPictures":
        """Decode pictures that are not in the cache yet.

        A picture that cannot be read or has a side below ``smallest_px`` is skipped and named, never fatal.

        Raises:
            InputError: if no picture is left.
        """
        cache = cache or default_cache()
        make_folder(cache)
        files: list[Path] = []
        shapes: list[tuple[int, int]] = []
        skipped: dict[str, str] = {}
        for path in paths:
            try:
                decoded = _decoded(path, cache)
                height, width, _ = np.load(decoded, mmap_mode="r").shape
            except (InputError, OSError) as error:
                skipped[str(path)] = str(error)
                continue
            if min(height, width) < smallest_px:
                skipped[str(path)] = f"{width}×{height} is smaller than a crop of {smallest_px}"
                continue
            files.append(decoded)
            shapes.append((height, width))
        if not files:
            name, reason = next(iter(skipped.items()))
            raise InputError(
                f"none of the {len(skipped)} training pictures can be used",
                got=reason if name in reason else f"{name}: {reason}",
            )
        return cls(tuple(files), tuple(shapes), skipped)

    @property
    def fingerprint(self) -> str:
        """Hash over number, order and sizes of the pictures, and every 64th pixel of every 64th row."""
        digest = hashlib.sha256(json.dumps(self.shapes).encode())
        for index in range(len(self.files)):
            digest.update(self.pixels(index)[::64, ::64].tobytes())
        return digest.hexdigest()

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Picture ``index``, uint8 HWC, memory-mapped."""
        return _mapped(self.files[index])


def default_cache() -> Path:
    """Where decoded pictures are kept: ``$XDG_CACHE_HOME/relume/decoded``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "relume" / "decoded"


def _decoded(path: Path, cache: Path) -> Path:
    """The decoded file of a picture, made if it is not there; a changed picture gets a new one."""
    status = path.stat()
    identity = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"
    decoded = cache / f"{hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]}.npy"
    if not decoded.exists():
        pixels = read_picture(path).pixels
        with replacing(decoded) as temporary:
            np.save(temporary, np.floor(pixels * 255 + 0.5).astype(np.uint8))
    return decoded


@lru_cache(maxsize=512)
def _mapped(file: Path) -> NDArray[np.uint8]:
    return np.load(file, mmap_mode="r")
