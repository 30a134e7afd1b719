"""Commands whose dependencies a plain installation does not have."""

from collections.abc import Generator
from contextlib import contextmanager

from relume.errors import UsageError


@contextmanager
def extra(name: str) -> Generator[None]:
    """Wrap the imports of a command; what is missing is answered with how to install it.

    Raises:
        UsageError: if a module outside relume cannot be found.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "relume":
            raise
        raise UsageError(
            f"this command needs relume[{name}]",
            got=f"no module {error.name}",
            hint=f"pip install 'relume[{name}]'",
        ) from error
