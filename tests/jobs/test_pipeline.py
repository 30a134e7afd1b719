import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relume.errors import InputError, OutOfMemory, OutputError
from relume.jobs import pipeline
from relume.jobs.naming import Job
from relume.jobs.pipeline import Done, Failed, Written, peak_rss, restore_files


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass
class Texts:
    """Stages that append an x to a text; they note what happens, and wait and raise as told."""

    errors: dict[str, list[BaseException]] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    weight: int = 0
    events: list[str] = field(default_factory=list)
    threads: dict[str, set[int]] = field(default_factory=dict)

    def weigh(self, source: Path) -> int:
        return self.weight

    def load(self, source: Path) -> str:
        return self.note("load", source.name)

    def work(self, loaded: str, tell) -> str:
        tell(1, 2)
        tell(2, 2)
        return self.note("work", loaded) + "x"

    def begin_saving(self, worked: str, begin):
        return begin()

    def save(self, worked: str, target: Path) -> Written:
        self.note("save", worked.removesuffix("x"))
        target.write_text(worked)
        return Written(scale=2, width=len(worked), height=1)

    def note(self, stage: str, name: str) -> str:
        self.events.append(f"{stage} {name}")
        self.threads.setdefault(stage, set()).add(threading.get_ident())
        end = time.monotonic() + 10
        while self.waits.get(f"{stage} {name}", self.events[0]) not in self.events:
            assert time.monotonic() < end, self.events
            time.sleep(0.001)
        if self.errors.get(f"{stage} {name}"):
            raise self.errors[f"{stage} {name}"].pop()
        return name


def jobs(*names: str, out: str = "out") -> list[Job]:
    return [Job(Path(name), Path(out, name), Path("out")) for name in names]


def run(stages: Texts, *names: str, **options) -> list[Done | Failed]:
    return list(restore_files(jobs(*names), lambda job: stages, lambda *now: None, **options))


def test_results_are_written_and_described():
    told = []
    stages = Texts()
    done = list(restore_files(jobs("a", "b"), lambda job: stages, lambda *now: told.append(now)))
    assert all(isinstance(item, Done) for item in done)
    assert (done[0].width, done[0].height, done[0].scale) == (2, 1, 2)
    assert [(done, total) for done, total, _ in told] == [(0, 2), (0.5, 2), (1, 2), (1, 2), (1.5, 2), (2, 2)]
    assert [name for *_, name in told] == ["a"] * 3 + ["b"] * 3
    assert Path("out/b").read_text() == "bx"


@pytest.mark.parametrize("stage", ["load", "work", "save"])
@pytest.mark.parametrize(
    ("raised", "kind"),
    [(InputError("bad"), InputError), (MemoryError(), OutOfMemory), (ZeroDivisionError(), ZeroDivisionError)],
)
def test_a_failure_is_yielded_in_its_place_and_the_others_follow(
    stage: str, raised: Exception, kind: type[Exception]
):
    first, second, third = run(Texts({f"{stage} b": [raised, raised]}), "a", "b", "c")
    assert isinstance(second, Failed)
    assert isinstance(second.error, kind)
    assert isinstance(first, Done)
    assert isinstance(third, Done)
    assert sorted(os.listdir("out")) == ["a", "c"]


def test_an_interrupt_is_no_failure_of_a_file():
    with pytest.raises(KeyboardInterrupt):
        run(Texts({"work a": [KeyboardInterrupt()]}), "a", "b")
    assert os.listdir("out") == []


def test_what_is_written_during_an_interrupt_is_told():
    stages = Texts({"work b": [KeyboardInterrupt()]}, {"save a": "work b"})
    outcomes = restore_files(jobs("a", "b", "c"), lambda job: stages, lambda *now: None)
    assert next(outcomes).job.source == Path("a")
    with pytest.raises(KeyboardInterrupt):
        next(outcomes)
    assert os.listdir("out") == ["a"]


def test_a_folder_that_cannot_be_is_found_before_the_work():
    Path("file").touch()
    stages = Texts()
    work = [Job(Path("a"), Path("file/below/a"), Path("file"))]
    (failed,) = restore_files(work, lambda job: stages, lambda *now: None)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, OutputError)
    assert stages.events == []


def test_other_files_are_read_and_written_while_the_network_runs():
    stages = Texts(waits={"work a": "load b", "save a": "work b", "work c": "save b"})
    assert all(isinstance(item, Done) for item in run(stages, *"abcd"))
    assert stages.threads["work"] == {threading.get_ident()}
    assert threading.get_ident() not in stages.threads["load"] | stages.threads["save"]


def test_what_is_made_while_it_is_written_is_made_in_the_networks_thread():
    class Parts(Texts):
        def begin_saving(self, worked: str, begin):
            begun = begin()
            self.note("make", worked.removesuffix("x"))
            return begun

    stages = Parts(waits={"save a": "make a", "make b": "save b", "make c": "save b"})
    assert all(isinstance(item, Done) for item in run(stages, *"abc"))
    assert stages.threads["make"] == stages.threads["work"]
    assert not stages.threads["save"] & stages.threads["work"]


def test_no_more_is_held_than_half_of_the_free_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pipeline, "free_ram", lambda: 1000)
    stages = Texts(weight=300)  # one fits beside nothing else
    run(stages, *"abc")
    assert stages.events == [f"{stage} {name}" for name in "abc" for stage in ("load", "work", "save")]


def test_where_memory_runs_out_the_file_waits_for_the_others_and_is_tried_again():
    stages = Texts({"work b": [OutOfMemory("full")]})
    assert all(isinstance(item, Done) for item in run(stages, *"abc"))
    assert stages.events.count("work b") == 2
    again = len(stages.events) - 1 - stages.events[::-1].index("work b")
    assert stages.events.index("save a") < again


def test_writing_is_entered_around_every_result():
    entered: list[str] = []

    @contextmanager
    def writing(job: Job):
        before = job.target.exists()
        yield
        entered.append(f"{job.source} {before} {job.target.exists()}")

    run(Texts({"work b": [InputError("bad")]}), *"abc", writing=writing)
    assert sorted(entered) == ["a False True", "c False True"]


def test_peak_memory_is_that_of_this_process():
    before = peak_rss()
    assert 10e6 < before < 1e12
    block = bytearray(300_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert peak_rss() >= before
    assert peak_rss() > 300e6
