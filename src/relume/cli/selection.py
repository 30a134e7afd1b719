"""Which files a command works on and what results are called: the options for that, and what they give."""

import sys
from argparse import SUPPRESS, ArgumentParser
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypedDict

from relume.cli.failures import printable
from relume.errors import OutputError, RelumeError, UsageError
from relume.jobs.discovery import Filters, Found, find_pictures
from relume.jobs.naming import Job, plan_jobs
from relume.jobs.shards import Shard


class SelectionOptions(TypedDict):
    """What :func:`add_arguments` declares."""

    inputs: list[str]
    more_inputs: list[str]
    output: str | None
    include: list[str]
    exclude: list[str]
    shard: str | None
    format: str | None
    suffix: str | None


class Selection(NamedTuple):
    """What is to be done.

    Attributes:
        jobs: the files, with the names of their results.
        unusable: what is wrong with inputs that gave nothing.
    """

    jobs: list[Job]
    unusable: list[RelumeError]


def add_arguments(parser: ArgumentParser, ending: str) -> None:
    """Declare the options; hidden names are those of Real-ESRGAN's programs.

    Args:
        parser: of the command.
        ending: what names of results end in by default.
    """
    add = parser.add_argument
    add(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="pictures, folders (with all below), patterns, - (stdin)",
    )
    add("-i", "--input", nargs="+", default=[], action="extend", dest="more_inputs", help=SUPPRESS)
    add("-o", "--output", metavar="PATH", help="file, folder, or - for stdout (default: beside the input)")
    add("--include", action="append", default=[], metavar="PATTERN", help="only files of such names")
    add("--exclude", action="append", default=[], metavar="PATTERN", help="no files of such names")
    add("--shard", metavar="I/N", help="only the I-th of N parts, as for one of N machines")
    add("-f", "--format", help="png, jpg, webp, tif, ... (default: the input's, or png if that loses)")
    add("--ext", dest="format", default=SUPPRESS, help=SUPPRESS)
    add("--suffix", metavar="TEXT", help=f"what names of results end in (default: {ending})")


def select(ending: str, options: SelectionOptions) -> Selection:
    """Find the files and name their results.

    Args:
        ending: what names of results end in, unless the options say otherwise.
        options: of the command line.

    Raises:
        UsageError: if options are wrong or nothing is found.
    """
    from relume.image import READABLE_SUFFIXES

    output, suffix = options["output"], options["suffix"]
    if suffix and Path(suffix).name != suffix:
        raise UsageError("--suffix is no part of a file name", got=suffix, hint="choose a folder with -o")
    format = None if options["format"] == "auto" else options["format"]
    filters = Filters(tuple(options["include"]), tuple(options["exclude"]))
    inputs = [*options["inputs"], *options["more_inputs"]]
    found, unusable = find_pictures(inputs, READABLE_SUFFIXES, filters, results=output)
    jobs = plan_jobs(
        _without_results(found),
        output,
        ending=ending if suffix is None else suffix,
        suffix_for=partial(_result_suffix, format),
    )
    if any(_format_of(job.target) != _format_of(job.target, format) for job in jobs):
        raise UsageError(f"-o {output} and -f {format} disagree", hint="leave one of them out")
    if options["shard"]:
        shard = Shard.parse(options["shard"])
        jobs = [job for job in jobs if job in shard]
    return Selection(jobs, unusable)


def _without_results(found: list[Found]) -> list[Found]:
    """Leave out what relume made, of folders in which there are also others' pictures, and say so."""
    from relume.image import is_own_result

    own = [item for item in found if item.root is not None and is_own_result(item.path)]
    if not own or len(own) == len(found):
        return found
    example = f"{printable(str(own[0].path))}{' and others' if len(own) > 1 else ''}"
    note = f"relume: {len(own)} left out, as relume made it: {example}; name it to enlarge it"
    print(note, file=sys.stderr)
    return [item for item in found if item not in own]


def _result_suffix(format: str | None, suffix: str) -> str:
    """The suffix of a result, for that of its picture: the asked format, or else one without loss."""
    from relume.image import WRITABLE_FORMATS

    if format:
        return WRITABLE_FORMATS[_format_of(Path("the result"), format)][0]
    lossless = (*WRITABLE_FORMATS["PNG"], *WRITABLE_FORMATS["TIFF"], *WRITABLE_FORMATS["BMP"])
    return suffix if suffix in lossless else ".png"


def _format_of(target: Path, format: str | None = None) -> str:
    """The format that is asked, or else that the file's suffix means."""
    from relume.image.writing import format_for

    try:
        return format_for(target, format)
    except OutputError as error:
        raise UsageError(error.what, got=error.got, allowed=error.allowed) from error
