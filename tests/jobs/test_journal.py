from pathlib import Path

import pytest

from relume.jobs.journal import Journal, is_result, read_journal
from relume.jobs.naming import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "a.png").write_text("picture")
    (tmp_path / "out").mkdir()
    return Job(tmp_path / "a.png", tmp_path / "out" / "a-x4.png", tmp_path / "out")


def write(job: Job, settings: str = "x4", shard: str = "") -> None:
    with Journal(settings, shard).writing(job):
        job.target.write_text("result")


def journal_file(job: Job) -> Path:
    return next(job.base.glob(".relume-journal*.jsonl"))


def test_what_was_written_is_held(job: Job):
    assert not Journal("x4").holds(job)
    write(job)
    assert Journal("x4").holds(job)


@pytest.mark.parametrize("change", ["settings", "source", "result", "no result"])
def test_what_has_changed_since_is_not_held(job: Job, change: str):
    write(job)
    if change == "source":
        job.source.write_text("another picture")
    if change == "result":
        job.target.write_text("edited")
    if change == "no result":
        job.target.unlink()
    assert not Journal("x2" if change == "settings" else "x4").holds(job)


def test_a_kill_before_the_result_leaves_it_to_be_done_and_no_leftovers(job: Job):
    job.target.write_text("an older result")
    try:
        with Journal("x4").writing(job):
            (job.base / ".a-x4.abcd1234.png").write_text("half")
            (job.base / ".b-x4.abcd1234.png").write_text("of another")
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert not Journal("x4").holds(job)
    assert sorted(path.name for path in job.base.glob(".*.png")) == [".b-x4.abcd1234.png"]


def test_a_kill_after_the_result_and_before_its_line_leaves_it_done(job: Job):
    job.target.write_text("an older result")
    write(job)
    file = journal_file(job)
    file.write_text(file.read_text().splitlines(keepends=True)[0])
    assert Journal("x4").holds(job)


def test_every_cut_of_the_journal_can_be_read_and_gone_on_with(job: Job):
    write(job)
    whole = journal_file(job).read_bytes()
    for size in range(len(whole)):
        journal_file(job).write_bytes(whole[:size])
        read_journal(job.base)
        write(job)
        assert Journal("x4").holds(job), size


def test_shards_have_their_own_files_and_all_are_read(job: Job):
    write(job, shard="1of2")
    assert journal_file(job).name == ".relume-journal-1of2.jsonl"
    assert Journal("x4").holds(job)


def test_what_relume_wrote_is_known_until_it_is_changed(job: Job):
    assert not is_result(job.target, job.base, {})
    write(job)
    assert is_result(job.target, job.base, read_journal(job.base))
    job.target.write_text("edited since")
    assert not is_result(job.target, job.base, read_journal(job.base))
