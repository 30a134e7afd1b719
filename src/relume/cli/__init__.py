"""The ``relume`` command. Parsing only: each command imports what it needs when it runs."""

import io
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from relume import __version__
from relume.cli.failures import Terminated, complain, tell_interruption
from relume.errors import OutOfMemory, OutputError, RelumeError, UsageError

COMMANDS = {
    "upscale": "enlarge pictures and films",
    "deblur": "take motion blur out of pictures and films",
    "plan": "say what time, memory and disk enlarging pictures would take",
    "compare": "lay two pictures side by side, as a picture and under a slider",
    "models": "list the models that come with relume",
    "doctor": "say what this machine can do",
    "check": "look at training data before hours are spent on it",
    "data prepare-gopro": "make the GOPRO dataset pairs to train deblurring on",
    "data fit-niqe": "fit the parameters of the measure NIQE on photographs",
    "train": "train a model by a recipe",
    "eval": "measure models on pictures whose truth is known",
    "export": "make a finished run a model file",
    "bench": "measure how fast models run on this machine",
    "verify": "prove that a restored film has lost nothing",
}
"""Commands -> what they do. Each is a module beside this one, with ``add_arguments`` and ``run``;
the module of a command of two words joins them by an underscore."""

OVERVIEW = """\
Make low-resolution or blurred pictures sharp again.

    relume upscale photo.jpg        writes photo-x4.png beside it

commands:
{commands}

relume COMMAND --help says more. relume --version shows the version.
"""

BROKEN_PIPE = 128 + 13
"""What shells report of a program that SIGPIPE ended."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code, see :mod:`relume.errors`."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may hold bytes that are no text
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; every failure becomes one line on stderr and an exit code.

    Args:
        arguments: as on the command line, without the program's name.
    """
    try:
        code = _dispatch(*(arguments or ["--help"]))
        sys.stdout.flush()
        return code
    except RelumeError as error:
        return complain(error)
    except MemoryError:
        return complain(OutOfMemory("not enough memory", hint="try a smaller --tile"))
    except KeyboardInterrupt as interrupt:
        return tell_interruption(interrupt)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        with suppress(OSError):  # what is still to be printed would fail again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return complain(OutputError("reading or writing failed", got=error))
    except Exception as error:
        return complain(error)


def module_of(command: str) -> str:
    """The name of the module that holds a command."""
    return command.replace(" ", "_").replace("-", "_")


def _dispatch(name: str, *arguments: str) -> int:
    from relume.cli.parser import Parser
    from relume.suggestions import did_you_mean

    if name in {"-h", "--help", "help"}:
        print(OVERVIEW.format(commands="\n".join(f"    {key:<20}{what}" for key, what in COMMANDS.items())))
        return 0
    if name in {"-V", "--version"}:
        print(f"relume {__version__}")
        return 0
    if " ".join([name, *arguments[:1]]) in COMMANDS:
        name, arguments = " ".join([name, *arguments[:1]]), arguments[1:]
    if name not in COMMANDS:
        raise UsageError("unknown command", got=name, allowed=COMMANDS, hint=did_you_mean(name, COMMANDS))
    command = import_module(f"relume.cli.{module_of(name)}")
    parser = Parser(name, command.__doc__)
    command.add_arguments(parser)
    return command.run(**parser.values(arguments))


def _terminate(number: int, frame: object) -> None:
    raise Terminated
