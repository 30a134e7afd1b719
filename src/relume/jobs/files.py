"""Which pictures a command works on, and what its results are called."""

import glob
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
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


@dataclass(frozen=True)
class Job:
    """A picture and where its result goes.

    Attributes:
        source: the input file.
        target: the output file; its suffix decides the format.
    """

    source: Path
    target: Path


class Discovery(NamedTuple):
    """What inputs gave.

    Attributes:
        pictures: each once.
        unusable: what is wrong with inputs, or folders below them, that gave nothing.
    """

    pictures: list[Found]
    unusable: list[RelumeError]


def find_pictures(inputs: Iterable[str | Path], suffixes: Iterable[str]) -> Discovery:
    """Every picture that files, folders and patterns name; each once, a folder's in order of name.

    A file is taken whatever it is called, and also when it is missing: reading it gives the better error.
    A folder gives the files below it, at any depth, whose suffix is in ``suffixes``; hidden ones are left
    out. A name that does not exist and holds ``*``, ``?`` or ``[`` is a pattern; ``**`` crosses folders.

    Raises:
        UsageError: if nothing is found at all.
    """
    wanted = frozenset(suffix.lower() for suffix in suffixes)
    unique: dict[str, Found] = {}
    unusable: list[RelumeError] = []
    for item in chain.from_iterable(_expand(Path(name), wanted) for name in inputs):
        if isinstance(item, RelumeError):
            unusable.append(item)
        else:
            unique.setdefault(os.path.realpath(item.path), item)
    if unusable and not unique:
        raise UsageError(unusable[0].what, got=unusable[0].got, allowed=unusable[0].allowed)
    return Discovery(list(unique.values()), unusable)


def _expand(name: Path, suffixes: frozenset[str]) -> list[Found | RelumeError]:
    """The pictures that one input names, and why others, or all, are missing."""
    if name.is_dir():
        found = [
            path if isinstance(path, RelumeError) else Found(path, name) for path in _walk(name, suffixes)
        ]
        return found or [InputError(f"no pictures in the folder {name}", allowed=sorted(suffixes))]
    if glob.has_magic(str(name)) and not name.exists():
        matches = sorted(glob.glob(str(name), recursive=True))
        files = [Found(Path(match)) for match in matches if os.path.isfile(match)]
        return [*files] or [InputError(f"no file matches {name}")]
    return [Found(name)]


def _walk(root: Path, suffixes: frozenset[str]) -> Iterator[Path | RelumeError]:
    closed: list[RelumeError] = []

    def note(error: OSError) -> None:
        closed.append(InputError(f"cannot list the folder {error.filename}", got=error.strerror))

    for folder, subfolders, names in os.walk(root, onerror=note):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        visible = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in visible if path.suffix.lower() in suffixes)
    yield from closed


def plan_jobs(
    found: Sequence[Found], out: str | None, *, ending: str, suffix_for: Callable[[str], str]
) -> list[Job]:
    """Give every picture the file that its result is written to.

    Results are called ``<name><ending><suffix>``. They lie beside the picture, or in the folder ``out``;
    those of a folder, without ``out``, in ``<folder><ending>`` beside it, its subfolders again below.
    ``out`` is a file if it ends in a suffix and is no folder.

    No two results share a name, not even on a disk that ignores case, and no result replaces a picture that
    this call works on: a picture that is itself another one's result (as when ``*.png`` is enlarged a second
    time) is left out.

    Args:
        found: the pictures.
        out: where results go, as the user wrote it; None: beside the pictures.
        ending: what is added to names, such as ``-x4``.
        suffix_for: the result's suffix, such as ``.png``, for the suffix of a picture.

    Raises:
        UsageError: if ``out`` is a file for several pictures, or a result would replace its own picture.
    """
    if out is not None and _names_a_file(out):
        if len(found) != 1:
            raise UsageError(f"-o {out} is one file", got=f"{len(found)} pictures", hint=f"try -o {out}/")
        return _without_results([Job(found[0].path, Path(out))])
    taken: set[str] = set()
    jobs: list[Job] = []
    for item in found:
        name = item.path.stem + ending + suffix_for(item.path.suffix.lower())
        jobs.append(Job(item.path, _untaken(_folder(item, out, ending) / name, item.path, taken)))
    return _without_results(jobs)


def _names_a_file(out: str) -> bool:
    return bool(Path(out).suffix) and not out.endswith(("/", os.sep)) and not Path(out).is_dir()


def _folder(item: Found, out: str | None, ending: str) -> Path:
    if item.root is None:
        return item.path.parent if out is None else Path(out)
    root = item.root if item.root.name not in {"", ".."} else item.root.resolve()
    base = root.with_name(root.name + ending) if out is None else Path(out)
    return base / item.path.parent.relative_to(item.root)


def _untaken(wanted: Path, source: Path, taken: set[str]) -> Path:
    """The wanted name, or if another result has it: with the picture's suffix, and then a number, added."""
    kind = source.suffix.lower().replace(".", "-")
    others = (f"{wanted.stem}{kind}{number}" for number in chain([""], count(2)))
    for path in chain([wanted], map(wanted.with_stem, others)):
        key = unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
        if key not in taken:
            taken.add(key)
            return path
    raise AssertionError("numbers do not end")


def _without_results(jobs: list[Job]) -> list[Job]:
    targets = {os.path.realpath(job.target): job for job in jobs}
    for job in jobs:
        if targets.get(os.path.realpath(job.source)) is job:
            raise UsageError(f"the result would replace {job.source}", hint="choose another -o or --suffix")
    return [job for job in jobs if os.path.realpath(job.source) not in targets]
