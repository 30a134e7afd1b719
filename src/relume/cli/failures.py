"""How a failure is told: one line on stderr, and an exit code."""

import os
import signal
import sys
from textwrap import shorten

from relume.errors import RelumeError

LONGEST = 300
"""Letters of what a failure that nobody foresaw says."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: leave as after Ctrl-C, cleaning up, but with its own exit code."""


def tell_interruption(interrupt: KeyboardInterrupt) -> int:
    """Say on stderr that a signal ended the program; return what shells report of such a one."""
    print("relume: interrupted; what was finished is kept", file=sys.stderr, flush=True)
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def complain(error: Exception, about: object = "") -> int:
    """Say on stderr, in one line, what went wrong; return the exit code of that kind of failure.

    Args:
        error: what went wrong; if it is no :class:`RelumeError`, relume itself did.
        about: the file that was worked on; named if the error does not.
    """
    if os.environ.get("RELUME_DEBUG") and not isinstance(error, RelumeError):
        import traceback

        traceback.print_exception(error)
    line = told(error)
    print("relume:", printable(line if str(about) in line else f"{about}: {line}"), file=sys.stderr)
    return error.exit_code if isinstance(error, RelumeError) else 1


def told(error: Exception) -> str:
    """The failure in one line."""
    if isinstance(error, RelumeError):
        return " ".join(str(error).split())
    got = shorten(repr(error), LONGEST, placeholder=" …")
    return f"this is a bug in relume; got {got}; RELUME_DEBUG=1 shows where"


def printable(text: str) -> str:
    """The text with control characters spelled out, which names of files may hold and terminals obey."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
