import os
import signal

import pytest

from relume.train import processes
from relume.train.stopping import StopRequests


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_block(number):
    reached = []
    before = signal.signal(number, lambda *_: reached.append("handled"))
    try:
        with StopRequests(None) as stop:
            assert not stop.requested()
            os.kill(os.getpid(), number)
            assert stop.requested()
            reached.append("end of the block")
    finally:
        signal.signal(number, before)
    assert reached == ["end of the block", "handled"]


def test_a_signal_that_arrives_while_others_are_asked_is_not_lost(monkeypatch):
    def asked(numbers: list[float]) -> list[float]:
        os.kill(os.getpid(), signal.SIGINT)
        return numbers

    with pytest.raises(KeyboardInterrupt), StopRequests(None) as stop:  # noqa: PT012
        with monkeypatch.context() as patch:
            patch.setattr(processes, "largest", asked)
            assert not stop.requested(), "the others do not know of it yet"
        assert stop.requested()


def test_a_second_signal_takes_effect_at_once():
    with pytest.raises(KeyboardInterrupt), StopRequests(None):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("still here")


def test_an_error_is_told_rather_than_a_signal():
    with pytest.raises(ValueError, match="wrong"), StopRequests(None):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("wrong")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_time_runs_out_quietly():
    with StopRequests(1e-9) as stop:
        assert stop.requested()
    with StopRequests(60.0) as stop:
        assert not stop.requested()
