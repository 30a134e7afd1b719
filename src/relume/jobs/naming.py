"""What results are called, and that they stay where they belong."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, count
from pathlib import Path

from relume.errors import OutputError, UsageError
from relume.files import make_folder
from relume.jobs.discovery import Found
from relume.jobs.journal import is_result, read_journal


@dataclass(frozen=True)
class Job:
    """A picture and where its result goes.

    Attributes:
        source: the input file.
        target: the output file; its suffix decides the format.
        base: the folder of the results, which ``target`` lies in or below.
    """

    source: Path
    target: Path
    base: Path


def plan_jobs(
    found: Sequence[Found], out: str | None, *, ending: str, suffix_for: Callable[[str], str]
) -> list[Job]:
    """Give every picture the file that its result is written to.

    Results are called ``<name><ending><suffix>``. They lie beside the picture, or in the folder ``out``;
    those of a folder, without ``out``, in ``<folder><ending>`` beside it, its subfolders again below.
    ``out`` is a file if it ends in a suffix and is no folder.

    No two results share a name, not even on a disk that ignores case, and no result has the name of a picture
    that this call works on. But a picture that is itself another one's result, as the journal beside it says
    (when ``*.png`` is enlarged a second time), is left out.

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
        jobs = [Job(found[0].path, Path(out), Path(out).parent)]
        _refuse_own_picture(jobs[0])
        return jobs
    inputs = {_key(item.path) for item in found}
    recorded = cache(read_journal)
    taken: set[str] = set()
    jobs: list[Job] = []
    for item in found:
        base, folder = _folders(item, out, ending)
        name = item.path.stem + ending + suffix_for(item.path.suffix.lower())
        job = Job(item.path, folder / name, base)
        _refuse_own_picture(job)
        target = next(
            path
            for path in _names(job)
            if _key(path) not in taken and (_key(path) not in inputs or is_result(path, base, recorded(base)))
        )
        taken.add(_key(target))
        jobs.append(replace(job, target=target))
    return [job for job in jobs if _key(job.source) not in taken]


def make_result_folder(job: Job) -> None:
    """Make sure that a result can be written, before hours are spent on it.

    Raises:
        OutputError: if a link leads out of the folder of the results, or its folder cannot be made or
            written to.
    """
    folder = job.target.parent
    if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(job.base)):
        raise OutputError(
            f"a link leads out of {job.base}", got=f"{folder} → {os.path.realpath(folder)}", hint="remove it"
        )
    make_folder(folder)
    if not os.access(folder, os.W_OK):
        raise OutputError(f"cannot write into the folder {folder}", hint="choose another one with -o")


def _names_a_file(out: str) -> bool:
    return bool(Path(out).suffix) and not out.endswith(("/", os.sep)) and not Path(out).is_dir()


def _folders(item: Found, out: str | None, ending: str) -> tuple[Path, Path]:
    """The folder of all results of this input, and the one for this picture."""
    if item.root is None:
        base = item.path.parent if out is None else Path(out)
        return base, base
    root = item.root if item.root.name not in {"", ".."} else item.root.resolve()
    base = root.with_name(root.name + ending) if out is None else Path(out)
    return base, base / item.path.parent.relative_to(item.root)


def _names(job: Job) -> Iterator[Path]:
    """The wanted name of a result, then with the picture's suffix added, then with a number too."""
    kind = job.source.suffix.lower().replace(".", "-")
    others = (f"{job.target.stem}{kind}{number}" for number in chain([""], count(2)))
    return chain([job.target], map(job.target.with_stem, others))


def _refuse_own_picture(job: Job) -> None:
    if os.path.realpath(job.target) == os.path.realpath(job.source):
        raise UsageError(f"the result would replace {job.source}", hint="choose another -o or --suffix")


def _key(path: Path) -> str:
    """Equal for names of one file, also where case or the spelling of accents does not count."""
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
