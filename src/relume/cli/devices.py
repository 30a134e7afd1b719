"""The option ``-g``, the same in every command that has it."""

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Sequence

NUMBERS = {"-1": "cpu", "0": "cuda"}
"""Devices as other programs number them."""


def add_argument(parser: ArgumentParser, default: str = "auto", devices: Sequence[str] = ()) -> None:
    """Declare the option, and that of Real-ESRGAN's programs, which is hidden.

    Args:
        parser: of the command.
        default: the device that is taken.
        devices: those to choose from; by default all that models run on.
    """
    from relume.backends import DEVICES

    devices = devices or DEVICES
    parser.add_argument(
        "-g",
        "--device",
        type=_named,
        default=default,
        choices=devices,
        metavar="DEVICE",
        help=f"where to run: {', '.join(devices)} (default: {default})",
    )
    parser.add_argument(
        "--gpu-id", type=_named, dest="device", default=SUPPRESS, choices=devices, help=SUPPRESS
    )


def _named(text: str) -> str:
    return NUMBERS.get(text, text)
