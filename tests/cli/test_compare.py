from pathlib import Path

import pytest

from relume.cli import run


def test_results_lie_beside_the_second_picture(pictures: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["compare", "a.png", "a.png"]) == 0
    assert capsys.readouterr().out == "a-vs-a.png\na-vs-a.html\n"
    assert run(["compare", "a.png", "a.png", "-o", "new/folder/both"]) == 0
    assert Path("new/folder/both.html").exists()
    assert run(["compare", "a.png", "a.png", "-o", "sub/v1.5.png"]) == 0
    assert Path("sub/v1.5.html").exists()
    assert run(["compare", "a.png", "a.png", "-o", "both/"]) == 0
    assert Path("both/a-vs-a.html").exists()
    assert run(["compare", "a.png", "missing.png"]) == 65
    assert run(["compare", "a.png"]) == 2
