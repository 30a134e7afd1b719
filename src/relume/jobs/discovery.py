"""Which pictures a command works on: files, folders and patterns, and what is left out of them."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from relume.errors import InputError, RelumeError, UsageError


@dataclass(frozen=True)
class Found:
    """A picture to work on.

    Attributes:
        path: the file.
        root: the folder it was found in, as the user named it; None for a file that was named itself.
    """

    path: Path
    root: Path | None = None


class Discovery(NamedTuple):
    """What inputs gave.

    Attributes:
        pictures: each once.
        unusable: what is wrong with inputs, or folders below them, that gave nothing.
    """

    pictures: list[Found]
    unusable: list[RelumeError]


@dataclass(frozen=True)
class Filters:
    """Patterns (``*``, ``?``, ``[...]``) that choose among the pictures found.

    A pattern with ``/`` is matched against the whole path as it was found, where ``*`` crosses folders; one
    without against the file's name. Case counts.

    Attributes:
        include: a picture must match one of these, if there are any.
        exclude: a picture must match none of these.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def let_pass(self, path: Path) -> bool:
        """Whether a picture is wanted."""
        included = not self.include or any(_matches(path, pattern) for pattern in self.include)
        return included and not any(_matches(path, pattern) for pattern in self.exclude)


def find_pictures(
    inputs: Iterable[str | Path],
    suffixes: Iterable[str],
    filters: Filters | None = None,
    results: str | Path | None = None,
) -> Discovery:
    """Every picture that files, folders and patterns name; each once, a folder's in order of name.

    A file is taken whatever it is called, and also when it is missing: reading it gives the better error.
    A folder gives the files below it, at any depth, whose suffix is in ``suffixes``; hidden ones are left
    out, and links to folders are not followed. A name that does not exist and holds ``*``, ``?`` or ``[`` is
    a pattern; ``**`` crosses folders.

    Args:
        inputs: names as the user wrote them.
        suffixes: of the files to take from folders.
        filters: choose among what is found.
        results: a folder that is not searched where it lies below another one that is.

    Raises:
        UsageError: if nothing is found at all.
    """
    wanted = frozenset(suffix.lower() for suffix in suffixes)
    filters = filters or Filters()
    unique: dict[str, Found] = {}
    unusable: list[RelumeError] = []
    left_out = os.path.realpath(results) if results else ""
    for item in chain.from_iterable(_expand(Path(name), wanted, left_out) for name in inputs):
        if isinstance(item, RelumeError):
            unusable.append(item)
        else:
            unique.setdefault(os.path.realpath(item.path), item)
    pictures = [item for item in unique.values() if filters.let_pass(item.path)]
    if unique and not pictures:
        got = (
            f"include {', '.join(filters.include) or '*'}; exclude {', '.join(filters.exclude) or 'nothing'}"
        )
        raise UsageError(f"--include and --exclude leave none of {len(unique)} pictures", got=got)
    if not pictures:
        raise UsageError(unusable[0].what, got=unusable[0].got, allowed=unusable[0].allowed)
    return Discovery(pictures, unusable)


def _matches(path: Path, pattern: str) -> bool:
    return fnmatchcase(path.as_posix() if "/" in pattern else path.name, pattern)


def _expand(name: Path, suffixes: frozenset[str], left_out: str) -> list[Found | RelumeError]:
    """The pictures that one input names, and why others, or all, are missing."""
    if name.is_dir():
        found = [
            path if isinstance(path, RelumeError) else Found(path, name)
            for path in _walk(name, suffixes, left_out)
        ]
        return found or [InputError(f"no pictures in the folder {name}", allowed=sorted(suffixes))]
    if glob.has_magic(str(name)) and not name.exists():
        matches = sorted(glob.glob(str(name), recursive=True))
        files = [Found(Path(match)) for match in matches if os.path.isfile(match)]
        return [*files] or [InputError(f"no file matches {name}")]
    return [Found(name)]


def _walk(root: Path, suffixes: frozenset[str], left_out: str) -> Iterator[Path | RelumeError]:
    closed: list[RelumeError] = []

    def note(error: OSError) -> None:
        closed.append(InputError(f"cannot list the folder {error.filename}", got=error.strerror))

    for folder, subfolders, names in os.walk(root, onerror=note):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not name.startswith(".") and os.path.realpath(Path(folder, name)) != left_out
        )
        visible = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in visible if path.suffix.lower() in suffixes)
    yield from closed
