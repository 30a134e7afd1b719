import errno
import os
import stat

import pytest

from relume.errors import OutputError
from relume.files import refuse_unwritable, replacing, write_text


def test_success_replaces_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.suffix == ".txt"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert target.read_text() == "new"


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert target.read_text() == "old"


def _interrupted(target):
    with replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_files_get_the_usual_permissions(tmp_path):
    mask = os.umask(0o022)
    try:
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o644


def test_a_missing_folder_is_made(tmp_path):
    with replacing(tmp_path / "some" / "new" / "out.txt") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "some/new/out.txt").read_text() == "x"


def test_a_file_for_a_folder_or_a_full_disk_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"), replacing(tmp_path / "file" / "out.txt"):
        pass
    (tmp_path / "file").unlink()
    with pytest.raises(OutputError, match="No space left"), replacing(tmp_path / "out.txt"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_names_that_are_no_text_can_be_written_about(tmp_path):
    write_text(tmp_path / "a.txt", os.fsdecode(b"\xff.png") + " ü")
    assert (tmp_path / "a.txt").read_text("utf-8") == "\\udcff.png ü"


def test_what_could_not_be_written_is_known_before(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    refuse_unwritable(tmp_path / "new.txt")
    refuse_unwritable(tmp_path / "old.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"
    for path in (tmp_path, tmp_path / "old.txt/new.txt"):
        with pytest.raises(OutputError, match="cannot"):
            refuse_unwritable(path)
