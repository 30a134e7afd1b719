import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from relume.archs.lpips import LPIPS
from relume.errors import InputError
from relume.evaluate import lpips
from relume.evaluate.lpips import PerceptualDistance
from relume.evaluate.measures import open_measures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files as published, but for their numbers."""
    state = LPIPS("alex").state_dict()
    features = {name: value for name, value in state.items() if name.startswith("features.")}
    linear = {name: value.abs() for name, value in state.items() if name.startswith("lin")}
    torch.save(features | {"classifier.1.bias": torch.zeros(3)}, tmp_path / "backbone.pth")
    digest = hashlib.sha256((tmp_path / "backbone.pth").read_bytes()).hexdigest()[:8]
    (tmp_path / "backbone.pth").rename(tmp_path / f"alexnet-{digest}.pth")
    torch.save(linear, tmp_path / "alex.pth")
    monkeypatch.setattr(lpips, "FILES", lpips.FILES | {"alex": (f"alexnet-{digest}.pth", "alex.pth")})
    monkeypatch.setenv("RELUME_LPIPS", str(tmp_path))
    return tmp_path


def test_supplied_weights_are_used_and_named(folder: Path):
    a, b = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3)).astype(np.uint8)
    distance = PerceptualDistance()
    assert distance(a, a) == 0
    assert distance(a, b) > 0
    assert np.isnan(distance(a[:30], b[:30]))
    (measure,) = open_measures(["lpips"], 4)
    assert "LPIPS 0.1, alex, weights alexnet-" in measure.columns[0].note


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RELUME_LPIPS", raising=False)
    with pytest.raises(
        InputError, match=r"no weights of LPIPS.*RELUME_LPIPS is not set.*alexnet-owt-7be5be79"
    ):
        PerceptualDistance()
    monkeypatch.setenv("RELUME_LPIPS", str(tmp_path))
    with pytest.raises(InputError, match=r"got RELUME_LPIPS=/"):
        PerceptualDistance()


def test_damaged_and_wrong_weights_are_refused(folder: Path):
    linear, (features,) = folder / "alex.pth", folder.glob("alexnet-*.pth")
    torch.save({"lin0.model.1.weight": torch.zeros(1, 64, 1, 1)}, linear)
    with pytest.raises(InputError, match=r"are not the weights of LPIPS 0\.1; got .*Missing key"):
        PerceptualDistance()
    linear.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"cannot read .*alex\.pth"):
        PerceptualDistance()
    features.write_bytes(features.read_bytes()[:-5])
    with pytest.raises(InputError, match="is damaged; got SHA-256"):
        PerceptualDistance()
