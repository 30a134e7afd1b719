"""A progress bar with the time that is left, where somebody watches."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

Advance = Callable[[float, float, str], None]
"""Called with how much is done, of how much, and what is being worked on."""


@contextmanager
def progress_bar() -> Generator[Advance]:
    """Show progress on stderr while the block runs; nothing at all if stderr is not a terminal.

    What is printed meanwhile appears above the bar, but what goes to a file or a pipe is left alone.
    """
    if not sys.stderr.isatty():
        yield lambda done, total, what: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
