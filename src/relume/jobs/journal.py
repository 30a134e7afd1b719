"""The record that an interrupted batch goes on by: which results are there, and what they were made of."""

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from relume.files import remove_leftovers

if TYPE_CHECKING:
    from relume.jobs.naming import Job

NAME = ".relume-journal"
"""What the files begin with; each shard has its own, so that machines never write into one."""

Stamp = list[int] | None
"""Size in bytes and time of the last change in ns of a file; None if there is none."""

Entry = dict[str, Any]
"""``result`` (below the folder), ``source``, ``read`` (its stamp), ``settings``, and the stamps of the result
``before`` it was written and, once it was, as ``written``."""


class Journal:
    """Tells of every result before and after it is written, so that a kill at any moment leaves no doubt.

    Args:
        settings: all that results depend on beside the picture, as a text to compare.
        shard: of which these are the results, for the name of the file.
    """

    def __init__(self, settings: str, shard: str = ""):
        self._settings = settings
        self._name = f"{NAME}{shard and '-'}{shard}.jsonl"
        self._lock = Lock()
        self._read = cache(read_journal)

    def holds(self, job: "Job") -> bool:
        """Whether the result is there as it was written, of this picture as it is now and these settings.

        What a killed run left half-written of a result that is not there is removed.
        """
        entry = self._read(job.base).get(_name_in(job.target, job.base), {})
        same = {"source": str(job.source.absolute()), "read": stamp(job.source), "settings": self._settings}
        if same.items() <= entry.items() and _is_written(entry, job.target):
            return True
        if entry:
            remove_leftovers(job.target)
        return False

    @contextmanager
    def writing(self, job: "Job") -> Generator[None]:
        """Record the result that is written in the block. May be used by several threads.

        Raises:
            OSError: if the journal cannot be written.
        """
        name = _name_in(job.target, job.base)
        begun: Entry = {"result": name, "source": str(job.source.absolute()), "read": stamp(job.source)}
        self._append(job.base, begun | {"settings": self._settings, "before": stamp(job.target)})
        yield
        self._append(job.base, {"result": name, "written": stamp(job.target)})

    def _append(self, folder: Path, entry: Entry) -> None:
        """In one write, on a line of its own even if the last one was cut off."""
        line = json.dumps(entry, ensure_ascii=True) + "\n"
        with self._lock, (folder / self._name).open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            file.write(line.encode() if file.read(1) in {b"", b"\n"} else b"\n" + line.encode())


def read_journal(folder: Path) -> dict[str, Entry]:
    """The newest entry of every result below a folder."""
    entries: dict[str, Entry] = {}
    for file in sorted(folder.glob(f"{NAME}*.jsonl")):
        for line in file.read_bytes().splitlines():
            try:
                entry = json.loads(line)
                told = {**entries.get(entry["result"], {}), **entry} if "written" in entry else entry
                entries[told["result"]] = told
            except (ValueError, TypeError, KeyError):
                continue  # cut off by a kill
    return entries


def is_result(path: Path, folder: Path, entries: Mapping[str, Entry]) -> bool:
    """Whether a file is one that relume wrote, unchanged since, by the entries for this folder."""
    entry = entries.get(_name_in(path, folder))
    return entry is not None and _is_written(entry, path)


def stamp(path: Path) -> Stamp:
    """Size and time of the last change."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _is_written(entry: Entry, target: Path) -> bool:
    """A result has its stamp, or if nobody lived to note that: another one than before."""
    now = stamp(target)
    if now is None:
        return False
    return now == entry["written"] if "written" in entry else now != entry.get("before")


def _name_in(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)
