"""Standard input and output, ``-``, in place of files."""

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from relume.cli.outcomes import Outcome
from relume.cli.selection import SelectionOptions
from relume.errors import InputError, RelumeError, UsageError
from relume.jobs.pipeline import Advance, Failed

STREAM = "-"

NAME = "standard input"
"""What messages call it."""


def writes_to_stdout(options: SelectionOptions) -> bool:
    """Whether the result goes to standard output: asked, or the picture comes from standard input."""
    output = options["output"]
    return output == STREAM or (output is None and STREAM in options["inputs"] + options["more_inputs"])


@contextmanager
def standard_streams(options: SelectionOptions) -> Generator[Path | None]:
    """Put files into the options for the streams, while the block runs; afterwards, print the result's bytes.

    Gives the file with what came from standard input, if anything was to be read there.

    Raises:
        UsageError: if several results would go to standard output, or a terminal.
        InputError: if standard input is empty.
    """
    inputs = [*options["inputs"], *options["more_inputs"]]
    if STREAM not in inputs and options["output"] != STREAM:
        yield None
        return
    to_stdout = writes_to_stdout(options)
    with TemporaryDirectory(prefix="relume-") as name:
        if to_stdout:
            _check(inputs)
            options["output"] = f"{name}/results/"
        spooled = _spool(Path(name)) if STREAM in inputs else None
        options["inputs"], options["more_inputs"] = [str(spooled) if i == STREAM else i for i in inputs], []
        yield spooled
        for result in Path(name).glob("results/*"):
            with result.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)


def renamed(outcome: Outcome, spooled: Path | None) -> Outcome:
    """The outcome; where it is of standard input, called so instead of by its temporary file.

    Args:
        outcome: of any file.
        spooled: what :func:`standard_streams` gave.
    """
    if outcome.job.source != spooled:
        return outcome
    if isinstance(outcome, Failed) and isinstance(outcome.error, RelumeError):
        outcome.error.what = outcome.error.what.replace(str(spooled), NAME)
    return replace(outcome, job=replace(outcome.job, source=Path(NAME)))


def renaming(advance: Advance, spooled: Path | None) -> Advance:
    """The progress, where standard input is called so; see :func:`renamed`."""
    return lambda done, total, what: advance(done, total, NAME if what == str(spooled) else what)


def _check(inputs: list[str]) -> None:
    if len(inputs) != 1 or Path(inputs[0]).is_dir():
        raise UsageError("standard output takes a single picture", hint="choose a folder with -o")
    if sys.stdout.isatty():
        raise UsageError("a picture is nothing for a terminal", hint="write to a file with -o FILE or > FILE")


def _spool(folder: Path) -> Path:
    """A file with all of standard input."""
    with (folder / "stdin").open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        if not file.tell():
            raise InputError("standard input is empty", hint="for example: relume upscale - < a.jpg > b.png")
    return folder / "stdin"
