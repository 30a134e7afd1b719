import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_no_bug():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "relume", "models"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr
