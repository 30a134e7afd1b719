"""Command lines, parsed by the standard library: nothing to install, and nothing slow to import."""

import argparse
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from relume.errors import UsageError

_PLAIN = "\0"
"""Put before what follows ``--``, so that argparse takes it for no option; no argument can hold it itself."""


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
        """Parse; options and inputs may come in any order, and after ``--`` nothing is an option.

        Raises:
            UsageError: for an unknown option or a value that is none.
        """
        end = arguments.index("--") if "--" in arguments else len(arguments)
        plain = [_PLAIN + argument for argument in arguments[end + 1 :]]
        found, rest = self.parse_known_intermixed_args([*arguments[:end], *plain])
        if rest:
            shown = (action for action in self._actions if action.help != argparse.SUPPRESS)
            options = [name for action in shown for name in action.option_strings]
            hint = did_you_mean(rest[0], options) or f"see {self.prog} --help"
            raise UsageError("unknown option", got=rest[0], hint=hint)
        return {name: _unmarked(value) for name, value in vars(found).items()}


def _unmarked(value: Any) -> Any:
    """The value without the marks of what followed ``--``."""
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    if isinstance(value, str | Path):
        return type(value)(str(value).removeprefix(_PLAIN))
    return value


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint at the most similar known word, if one is similar."""
    close = get_close_matches(word.partition("=")[0], list(known), n=1)
    return f"did you mean {close[0]}?" if close else None
