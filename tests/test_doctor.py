import pytest

import relume
from relume import doctor
from relume.doctor import Finding, examine


def test_ten_lines_about_this_machine():
    findings = {finding.subject: finding for finding in examine()}
    assert len(findings) == 10
    assert [f for f in findings.values() if not f.fine] == []
    assert findings["relume"].text.startswith(relume.__version__)
    assert "onnxruntime" in findings["runtimes"].text
    assert ".png" in findings["pictures"].text


@pytest.mark.parametrize("installed", [True, False])
def test_only_what_can_be_read_is_listed(installed: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor.util, "find_spec", lambda name: installed)
    assert (".heic" in doctor.LOOKS["pictures"]()) == installed


def test_what_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    def fail() -> str:
        raise OSError("no such thing")

    monkeypatch.setattr(doctor, "LOOKS", {"speed": fail, "relume": lambda: "here"})
    assert list(examine()) == [
        Finding("speed", "does not work: no such thing", fine=False),
        Finding("relume", "here"),
    ]
