"""Command lines, parsed by the standard library: nothing to install, and nothing slow to import."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from relume.errors import UsageError
from relume.suggestions import did_you_mean

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
        raise UsageError(message.removeprefix("argument "), hint=f"see {self.prog} --help")

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """The value of an option; in argparse, where its own message has no form that could be kept.

        Raises:
            UsageError: if it is none.
        """
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            raise self._misunderstood(action, arg_string, getattr(action.type, "allowed", None)) from error

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Of an option with a list of values, see :meth:`_get_value`.

        Raises:
            UsageError: if it is not on the list.
        """
        if action.choices is not None and value not in action.choices:
            raise self._misunderstood(action, value, action.choices)

    def _misunderstood(self, action: argparse.Action, value: object, allowed: object) -> UsageError:
        name = action.option_strings[-1] if action.option_strings else action.dest
        return UsageError(
            f"wrong value for {name}", got=value, allowed=allowed, hint=f"see {self.prog} --help"
        )

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
            hint = did_you_mean(rest[0].partition("=")[0], options) or f"see {self.prog} --help"
            hint = f"name the file ./{rest[0]}" if Path(rest[0]).exists() else hint
            raise UsageError("unknown option", got=rest[0], hint=hint)
        return {name: _unmarked(value) for name, value in vars(found).items()}


def _unmarked(value: Any) -> Any:
    """The value without the marks of what followed ``--``."""
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    if isinstance(value, str | Path):
        return type(value)(str(value).removeprefix(_PLAIN))
    return value
