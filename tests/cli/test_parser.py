from pathlib import Path

import pytest

from relume.cli import restore
from relume.cli.parser import Parser
from relume.errors import UsageError


def values(*arguments: str) -> dict[str, object]:
    parser = Parser("deblur", None)
    parser.add_argument("--run", type=Path)
    restore.add_arguments(parser, "")
    return parser.values(arguments)


def test_inputs_and_options_come_in_any_order():
    found = values("a.png", "-t", "3", "b.png", "--run", "x")
    assert (found["inputs"], found["tile"], found["run"]) == (["a.png", "b.png"], 3, Path("x"))


def test_a_file_that_looks_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("-a.png").touch()
    with pytest.raises(UsageError, match=r"unknown option; got -a\.png; name the file \./-a\.png"):
        values("-a.png")


def test_after_two_dashes_nothing_is_an_option():
    found = values("a.png", "-o", "out", "--", "-x.png", "--", "--json")
    assert found["inputs"] == ["a.png", "-x.png", "--", "--json"]
    assert (found["output"], found["json"]) == ("out", False)
    assert values("--", "-t")["inputs"] == ["-t"]
