"""Take motion blur out of pictures.

    relume deblur photo.jpg               writes photo-deblurred.png beside it
    relume deblur photos/ -o sharp/       a folder with all below

Metadata, colour profile, transparency and bit depth are kept. A result replaces an older file of that name,
but never an input. One bad picture of several does not stop the others: the exit code is then 1.
"""

from argparse import ArgumentParser
from typing import Unpack

from relume.cli import restore


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    restore.add_arguments(parser, ending="-deblurred")


def run(**options: Unpack[restore.Options]) -> int:
    """Do it; see the module's text."""
    return restore.restore("deblur", {}, options)
