"""What users may rely on: a change here is a change for them, and belongs into CHANGELOG.md."""

import inspect

import pytest

import relume
from relume.cli import COMMANDS
from relume.cli.parser import Parser

SIGNATURES = {
    "open_model": ["name", "device", "scale"],
    "upscale": ["src", "dst", "model", "scale", "width", "height", "tile", "device", "format"],
}

OPTIONS = {
    "upscale": "INPUT --output --scale --model --tile --device --format --width --height --suffix --json",
    "models": "--json",
    "doctor": "",
    "check": "DATA --crop --scale --sheet",
    "train": "RECIPE KEY=VALUE --data --run --resume --smoke --device",
    "eval": "MODEL --data --protocol --scale --json --markdown --report --device",
    "export": "RUN --output --scores",
}


def test_public_names():
    assert dir(relume) == ["Model", "__version__", "open_model", "upscale"]
    assert all(getattr(relume, name).__doc__ for name in dir(relume))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        relume.nonsense  # noqa: B018


@pytest.mark.parametrize("name", SIGNATURES)
def test_public_signatures(name: str):
    assert list(inspect.signature(getattr(relume, name)).parameters) == SIGNATURES[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_commands(name: str):
    from importlib import import_module

    parser = Parser(name, None)
    import_module(f"relume.cli.{name}").add_arguments(parser)
    shown = [a for a in parser._actions if a.help != "==SUPPRESS==" and a.dest != "help"]
    assert [a.option_strings[-1] if a.option_strings else a.metavar for a in shown] == OPTIONS[name].split()
