"""Standard input and output, ``-``, in place of files."""

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from relume.cli.selection import SelectionOptions
from relume.errors import InputError, UsageError

STREAM = "-"


def writes_to_stdout(options: SelectionOptions) -> bool:
    """Whether the result goes to standard output: asked, or the picture comes from standard input."""
    output = options["output"]
    return output == STREAM or (output is None and STREAM in options["inputs"] + options["more_inputs"])


@contextmanager
def standard_streams(options: SelectionOptions) -> Generator[None]:
    """Put files into the options for the streams, while the block runs; afterwards, print the result's bytes.

    Raises:
        UsageError: if several results would go to standard output, or a terminal.
        InputError: if standard input is empty.
    """
    inputs = [*options["inputs"], *options["more_inputs"]]
    if STREAM not in inputs and options["output"] != STREAM:
        yield
        return
    to_stdout = writes_to_stdout(options)
    with TemporaryDirectory(prefix="relume-") as name:
        if to_stdout:
            _check(inputs)
            options["output"] = f"{name}/results/"
        if STREAM in inputs:
            spooled = str(_spool(Path(name)))
            options["inputs"], options["more_inputs"] = [spooled if i == STREAM else i for i in inputs], []
        yield
        for result in Path(name).glob("results/*"):
            with result.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)


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
