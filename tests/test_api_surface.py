"""What users may rely on: a change here is a change for them, and belongs into CHANGELOG.md."""

import inspect

import pytest

import relume
from relume.cli import COMMANDS, module_of
from relume.cli.parser import Parser

SIGNATURES = {
    "open_model": ["name", "device", "scale", "task", "strength"],
    "deblur": ["src", "dst", "model", "device", "strength", "format", "options"],
    "upscale": ["src", "dst", "model", "device", "strength", "format", "options"],
}

SHARED = (
    "INPUT --output --include --exclude --shard --format --suffix "
    "--model --tile --device --max-pixels --salvage --skip-existing --resume --report --json --quiet "
    "--strength --tta --no-lock-colours --consistent --wrap --show-invented --no-provenance "
    "--quality --subsampling --progressive --lossless --method --speed --compress-level --compression "
    "--codec --crf --preset --pix-fmt --start --end --preview --fps --deinterlace"
)

OPTIONS = {
    "upscale": f"{SHARED} --scale --width --height",
    "deblur": SHARED,
    "plan": f"{SHARED} --scale --width --height",
    "compare": "A B --output",
    "models": "--json --cards --samples",
    "doctor": "",
    "check": "DATA --crop --scale --sheet --exclude",
    "data prepare-gopro": "SRC DEST --blur --copy",
    "train": "RECIPE KEY=VALUE --data --run --resume --smoke --device",
    "data fit-niqe": "DATA --output --licence",
    "eval": "MODEL --data --protocol --measures --frames --niqe --scale --size --json --markdown --report "
    "--device",
    "bench": "MODEL --side --rounds --tile --device --quick --json --markdown",
    "export": "RUN --output --scores --int8 --calibrate",
    "verify": "ORIGINAL RESULT --start --end --deinterlace --json",
}


def test_public_names():
    assert dir(relume) == ["Model", "__version__", "deblur", "open_model", "upscale"]
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
    import_module(f"relume.cli.{module_of(name)}").add_arguments(parser)
    shown = [a for a in parser._actions if a.help != "==SUPPRESS==" and a.dest != "help"]
    assert [a.option_strings[-1] if a.option_strings else a.metavar for a in shown] == OPTIONS[name].split()
