import json
from pathlib import Path

import pytest

from relume import bench
from relume.cli import run
from relume.zoo import ModelFile, read_card

HEAD_BODY_TAIL = 9 * (3 * 24 + 5 * 24 * 24 + 24 * 48)
SKIP = 3 * 48


def test_a_model_is_measured_beside_the_processors_peak(tiny_model: Path):
    row = bench.measure(
        ModelFile(tiny_model, read_card(tiny_model)), bench.Asked(side=20, rounds=2, cold=False)
    )
    assert (row.model, row.backend, row.precision, row.side) == ("tiny-x4", "openvino", "float32", 20)
    seconds = row.ms / 1000
    assert row.gflops * 1e9 * seconds == pytest.approx(2 * (HEAD_BODY_TAIL + SKIP) * 20**2)
    assert row.output_mp_per_s * 1e6 * seconds == pytest.approx(80**2)
    assert row.of_peak > 0
    assert row.peak_rss_mb is None


def test_the_command_prints_and_writes(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    files = [str(tmp_path / "a.json"), str(tmp_path / "a.md")]
    arguments = ["bench", str(tiny_model), "--side", "16", "--rounds", "1"]
    assert run([*arguments, "--json", files[0], "--markdown", files[1]]) == 0
    (row,) = json.loads(Path(files[0]).read_text())
    assert row["cold_start_s"] > 0
    assert row["peak_rss_mb"] > 10
    assert capsys.readouterr().out == Path(files[1]).read_text()
    assert run(["bench", "--rounds", "0"]) == 2
