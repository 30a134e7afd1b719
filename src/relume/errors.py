"""What can go wrong, and the exit code each kind ends the ``relume`` command with.

::

    RelumeError               a problem the user can act on        exit code
    ├── UsageError            unknown option, model, device, recipe    2
    ├── InputError            bad picture, film, model or data        65
    ├── TrainingDiverged      NaN losses that did not go away         70
    ├── OutOfMemory           not enough memory, even for one tile    71
    └── OutputError           a result could not be written           74

Exit code 0 is success, 1 says that some files of a batch failed, 130 and 143 that the run was interrupted.
"""

from collections.abc import Iterable


class RelumeError(Exception):
    """A problem that the user can act on.

    Args:
        what: what is wrong, in one clause ("cannot read photo.jpg").
        got: what was found, where that helps.
        allowed: what would have been accepted.
        hint: what to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, got: object = None, allowed: object = None, hint: str | None = None):
        self.what = what
        self.got = got
        self.allowed = allowed
        self.hint = hint
        super().__init__(what, got, allowed, hint)

    def __str__(self) -> str:
        parts = [self.what]
        if self.got is not None:
            parts.append(f"got {self.got}")
        if self.allowed is not None:
            parts.append(f"allowed: {_listed(self.allowed)}")
        if self.hint is not None:
            parts.append(self.hint)
        return "; ".join(parts)


def _listed(allowed: object) -> str:
    if isinstance(allowed, Iterable) and not isinstance(allowed, str):
        return ", ".join(str(item) for item in allowed)
    return str(allowed)


class UsageError(RelumeError):
    """An unknown option, model, device or recipe key."""

    exit_code = 2


class InputError(RelumeError):
    """A picture, film, model file or data folder that cannot be used."""

    exit_code = 65


class TrainingDiverged(RelumeError):
    """Losses stayed NaN or infinite; the last good checkpoint is intact."""

    exit_code = 70


class OutOfMemory(RelumeError):
    """Not enough memory, even for the smallest tile."""

    exit_code = 71


class OutputError(RelumeError):
    """A result could not be written: no space, no permission, not a folder."""

    exit_code = 74
