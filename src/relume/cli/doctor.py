"""Say what this machine can do: runtimes, memory, models, formats, speed.

The exit code is 1 if something does not work.
"""

from argparse import ArgumentParser


def add_arguments(parser: ArgumentParser) -> None:
    """The command takes nothing."""


def run() -> int:
    """Do it; see the module's text."""
    from relume.doctor import examine

    fine = True
    for finding in examine():
        print(f"{finding.subject:<11}{finding.text}", flush=True)
        fine &= finding.fine
    return int(not fine)
