import os
from pathlib import Path

import pytest
from PIL import Image

from relume.errors import InputError, OutOfMemory, OutputError
from relume.jobs.batch import Done, Failed, peak_rss, restore_files
from relume.jobs.files import Job


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (6, 4), "teal").save(name)
    return tmp_path


def jobs(*names: str, out: str = "out") -> list[Job]:
    return [Job(Path(name), Path(out, name)) for name in names]


def twice_as_wide(picture, progress):
    progress(1, 2)
    progress(2, 2)
    return picture.replace(pixels=picture.pixels.repeat(2, axis=1))


def test_results_are_written_and_described():
    told = []
    done = list(restore_files(jobs("a.png", "b.png"), twice_as_wide, lambda *now: told.append(now)))
    assert all(isinstance(item, Done) for item in done)
    assert (done[0].width, done[0].height, done[0].scale) == (12, 4, 2)
    assert [(done, total) for done, total, _ in told] == [(0, 2), (0.5, 2), (1, 2), (1, 2), (1.5, 2), (2, 2)]
    assert [name for *_, name in told] == ["a.png"] * 3 + ["b.png"] * 3
    with Image.open("out/b.png") as picture:
        assert picture.size == (12, 4)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(InputError("bad"), InputError), (MemoryError(), OutOfMemory), (ZeroDivisionError(), ZeroDivisionError)],
)
def test_a_failure_is_yielded_and_the_next_picture_follows(raised: Exception, kind: type[Exception]):
    def restore(picture, progress):
        if not os.path.exists("out/a.png") and not failed:
            failed.append(True)
            raise raised
        return picture

    failed: list[bool] = []
    first, second = restore_files(jobs("a.png", "b.png"), restore, lambda *now: None)
    assert isinstance(first, Failed)
    assert isinstance(first.error, kind)
    assert isinstance(second, Done)
    assert os.listdir("out") == ["b.png"]


def test_an_interrupt_is_no_failure_of_a_picture():
    def restore(picture, progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(restore_files(jobs("a.png"), restore, lambda *now: None))
    assert os.listdir("out") == []


def test_a_folder_that_cannot_be_is_found_before_the_work():
    def restore(picture, progress):
        raise AssertionError("worked in vain")

    (failed,) = restore_files(jobs("a.png", out="b.png/below"), restore, lambda *now: None)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, OutputError)


def test_peak_memory_is_that_of_this_process():
    before = peak_rss()
    assert 10e6 < before < 1e12
    block = bytearray(300_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert peak_rss() >= before
    assert peak_rss() > 300e6
