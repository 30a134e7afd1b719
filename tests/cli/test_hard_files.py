"""What becomes of files that are hard to deal with: good ones keep everything, bad ones do no harm."""

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.hard_files import hard_files, table

PAGE = Path(__file__).parents[2] / "docs/hard-files.md"


def test_hard_files_become_what_the_page_says(tmp_path: Path):
    found = table(hard_files(), tmp_path)
    assert found.splitlines() == PAGE.read_text(encoding="utf-8").splitlines()
    assert "| no |" not in found


def test_no_bad_file_does_harm_to_the_command(shared_data: Path, tiny_model: Path, tmp_path: Path):
    """Small ones are enlarged, all others refused: no traceback, no signal, none of them takes long."""
    files = [str(path) for path in sorted((shared_data / "bad").rglob("*")) if path.is_file()]
    files = [name for name in files if not name.endswith((".mp4", ".avi", ".webm", ".wmv", ".flv"))]
    options = ["-s", "1", "--max-pixels", "20000", "--json", "-n", str(tiny_model), "-o", str(tmp_path)]
    command = [sys.executable, "-m", "relume", "upscale", *files, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["input"] for line in lines] == files
    assert len([line for line in lines if "width" in line]) > 150
    assert all(line.get("seconds", 0) < 60 for line in lines)
    assert all(line.startswith("relume: ") for line in done.stderr.splitlines())
    assert "this is a bug" not in done.stderr
