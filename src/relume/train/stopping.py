"""When a run ends before its last step: by Ctrl-C, SIGTERM or its time limit, in all processes at once."""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Self

from relume.train import processes

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequests:
    """Notes signals inside its block, which take their usual effect at the end of it.

    A second signal takes its effect at once.

    Args:
        max_minutes: time limit, from now; null: none.
    """

    def __init__(self, max_minutes: float | None):
        self._ends = time.monotonic() + 60 * max_minutes if max_minutes else float("inf")
        self._signal = 0
        self._before: dict[signal.Signals, Any] = {}

    def requested(self) -> bool:
        """Whether to stop, the same answer in all processes, which must all ask."""
        number, late = processes.largest([self._signal, time.monotonic() >= self._ends])
        if number:  # else one may have been noted here while the others were asked
            self._signal = int(number)
        return bool(number or late)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        if self._signal and error is None:  # where something else went wrong, that is what has to be told
            signal.raise_signal(self._signal)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
