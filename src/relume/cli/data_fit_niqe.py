"""Fit the parameters of NIQE, which judges pictures without their originals, on sharp photographs.

    relume data fit-niqe photos/ -o mine.npz
    relume eval MODEL --data Set14 --measures niqe --niqe mine.npz

relume comes with parameters; scores with others cannot be compared with theirs. The exit code is 1 if some
pictures cannot be used.
"""

from argparse import ArgumentParser
from pathlib import Path

from relume.cli.progress import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("data", nargs="+", metavar="DATA", help="folders or lists of sharp photographs")
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="the .npz to write")
    add(
        "--licence",
        nargs="+",
        action="extend",
        default=[],
        metavar="TEXT",
        help="terms of the photographs, kept in the file",
    )


def run(data: list[str], output: Path, licence: list[str]) -> int:
    """Do it; see the module's text."""
    from relume.evaluate.niqe import fit_niqe
    from relume.files import refuse_unwritable

    refuse_unwritable(output)
    with progress_bar() as advance:
        fit = fit_niqe(data, licences=licence, progress=advance)
    fit.statistics.save(output)
    about = fit.statistics.about
    print(f"{output}: {about['num_patches']} sharp patches of {about['num_pictures']} pictures")
    for file, reason in fit.skipped.items():
        print(f"  not used: {file}: {reason}")
    return int(bool(fit.skipped))
