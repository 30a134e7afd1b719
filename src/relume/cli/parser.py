"""Command lines, parsed by the standard library: nothing to install, and nothing slow to import."""

import argparse
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from relume.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser of one command. What it cannot parse is a :class:`UsageError`, not an exit."""

    def __init__(self, command: str, description: str | None):
        super().__init__(
            prog=f"relume {command}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Called by argparse.

        Raises:
            UsageError: always.
        """
        raise UsageError(message, hint=f"see {self.prog} --help")

    def values(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Parse; options and inputs may come in any order.

        Raises:
            UsageError: for an unknown option or a value that is none.
        """
        found, rest = self.parse_known_intermixed_args(arguments)
        if rest:
            options = [name for action in self._actions for name in action.option_strings]
            raise UsageError("unknown option", got=rest[0], hint=did_you_mean(rest[0], options))
        return vars(found)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint at the most similar known word, if one is similar."""
    close = get_close_matches(word.partition("=")[0], list(known), n=1)
    return f"did you mean {close[0]}?" if close else None
