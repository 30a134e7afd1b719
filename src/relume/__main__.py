"""``python -m relume`` is the ``relume`` command."""

from relume.cli import main

main()
