import json
from pathlib import Path

import pytest

from relume import bench
from relume.backends.openvino import matrix_product
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
    assert row.gflops * 1e9 * seconds >= 2 * (HEAD_BODY_TAIL + SKIP) * 20**2  # in the round of least time
    assert row.output_mp_per_s * 1e6 * seconds == pytest.approx(80**2)
    assert row.peak_gflops
    assert row.of_peak == pytest.approx(row.gflops / row.peak_gflops)
    assert row.peak_rss_mb is None
    assert "RSS" not in bench.markdown([row])


def test_the_command_prints_and_writes(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    files = [str(tmp_path / "a.json"), str(tmp_path / "a.md")]
    arguments = ["bench", str(tiny_model), "--side", "16", "--rounds", "1"]
    assert run([*arguments, "--json", files[0], "--markdown", files[1]]) == 0
    (row,) = json.loads(Path(files[0]).read_text())
    assert row["cold_start_s"] > 0
    assert row["import_s"] > 0
    assert row["peak_rss_mb"] > 10
    assert capsys.readouterr().out == Path(files[1]).read_text()
    assert run(["bench", "--rounds", "0"]) == 2


def test_a_share_of_more_than_all_is_none(tiny_model: Path, monkeypatch: pytest.MonkeyPatch):
    """Other programs had the processor during every product, and a moment of peace came with the model."""
    monkeypatch.setattr(bench, "PEAK_SIDE", 1)
    file = ModelFile(tiny_model, read_card(tiny_model))
    row = bench.measure(file, bench.Asked(side=40, rounds=1, cold=False))
    assert row.disturbed
    assert bench.markdown([row]).endswith("| disturbed |")


def test_a_disturbed_share_is_marked():
    row = bench.Speed("m", "openvino", "float32", 9, 1.0, 1.0, 50, 100, 0.5, disturbed=True)
    assert bench.markdown([row]).endswith("| 50%, disturbed |")


@pytest.mark.parametrize("int8", [False, True])
def test_the_peak_is_that_of_the_precision(int8: bool):
    matrix_product(64, threads=1, int8=int8)()


def test_imports_are_added_up():
    rows = ("self [us] | cumulative | imported package", "12 |  12 | a", "8 |  20 |   b")
    told = "".join(f"import time: {row}\n" for row in rows)
    assert bench._import_seconds(told) == pytest.approx(20e-6)
