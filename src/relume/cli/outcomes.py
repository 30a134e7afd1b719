"""What became of every file: told as it comes, listed at the end, and in a report."""

import json
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

from relume import __version__
from relume.cli.failures import complain, printable, told
from relume.errors import RelumeError
from relume.files import refuse_unwritable, write_text
from relume.jobs.naming import Job
from relume.jobs.pipeline import Done, Failed

Line = dict[str, object]


@dataclass(frozen=True)
class Skipped:
    """A file that was not worked on.

    Attributes:
        job: input and output.
        why: the reason.
    """

    job: Job
    why: str


Outcome = Done | Failed | Skipped


@dataclass
class Tally:
    """Outcomes so far.

    Attributes:
        model: name of the model.
        factor: size of results relative to inputs, if that was asked for.
        json: whether every outcome is printed as a JSON object.
        quiet: whether nothing is printed but failures.
        unusable: what is wrong with inputs that gave no file.
        done: files with results, as they are told.
        skipped: files that were not worked on.
        failures: files without results.
    """

    model: str
    factor: float | None
    json: bool
    quiet: bool
    unusable: Sequence[RelumeError]
    done: list[Line] = field(default_factory=list[Line])
    skipped: list[Line] = field(default_factory=list[Line])
    failures: list[Failed] = field(default_factory=list[Failed])
    _start: float = field(default_factory=perf_counter)

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Tell of every outcome as it comes."""
        for outcome in outcomes:
            line = self._line(outcome)
            if isinstance(outcome, Failed):
                self.failures.append(outcome)
            else:
                (self.done if isinstance(outcome, Done) else self.skipped).append(line)
            if self.json:
                print(json.dumps(line), flush=True)
            elif not self.quiet and not isinstance(outcome, Failed):
                print(printable(_sentence(outcome)), flush=True)

    def conclude(self) -> int:
        """List what failed on stderr; return the exit code. A single file's failure has its own."""
        codes = [complain(error) for error in self.unusable]
        codes += [complain(failure.error, failure.job.source) for failure in self.failures]
        num_files = len(self.done) + len(self.skipped) + len(self.failures)
        if self.failures and num_files > 1:
            print(f"relume: {len(self.failures)} of {num_files} files failed", file=sys.stderr)
        return 1 if codes and num_files + len(self.unusable) > 1 else max(codes, default=0)

    def write(self, path: Path, finished: bool) -> None:
        """Write all of it as one JSON object.

        Args:
            path: the file.
            finished: whether every file has had its turn.

        Raises:
            OutputError: if it cannot be written.
        """
        report = {
            "relume": __version__,
            "model": self.model,
            "finished": finished,
            "seconds": round(perf_counter() - self._start, 3),
            "done": self.done,
            "skipped": self.skipped,
            "failed": [self._line(failure) for failure in self.failures],
            "unusable": [told(error) for error in self.unusable],
        }
        write_text(path, json.dumps(report, indent=1) + "\n")

    def _line(self, outcome: Outcome) -> Line:
        job = outcome.job
        line: Line = {"input": str(job.source), "output": str(job.target), "model": self.model}
        if isinstance(outcome, Failed):
            return line | {"error": told(outcome.error)}
        if isinstance(outcome, Skipped):
            return line | {"skipped": outcome.why}
        line |= {key: value for key, value in asdict(outcome).items() if key != "job"}
        return line | {"scale": self.factor or outcome.scale}


@contextmanager
def reported(tally: Tally, path: Path | None) -> Generator[None]:
    """Write the report, if one is asked for, when the block ends, however it does.

    That it can be written is found out before the block.

    Raises:
        OutputError: if it cannot be written.
    """
    if path:
        refuse_unwritable(path)
    finished = False
    try:
        yield
        finished = True
    finally:
        if path:
            tally.write(path, finished)


def _sentence(outcome: Done | Skipped) -> str:
    names = f"{outcome.job.source} → {outcome.job.target}"
    if isinstance(outcome, Skipped):
        return f"{names} (left out: {outcome.why})"
    return f"{names} ({outcome.width}×{outcome.height}, {outcome.seconds:.1f} s)"
