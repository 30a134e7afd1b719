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


def test_what_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    def fail() -> str:
        raise OSError("no such thing")

    monkeypatch.setattr(doctor, "LOOKS", {"speed": fail, "relume": lambda: "here"})
    assert list(examine()) == [
        Finding("speed", "does not work: no such thing", fine=False),
        Finding("relume", "here"),
    ]
