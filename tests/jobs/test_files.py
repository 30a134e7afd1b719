import os
from pathlib import Path

import pytest

from relume.errors import UsageError
from relume.jobs.files import Found, find_pictures, plan_jobs


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = ["b.png", "a.JPG", "notes.txt", ".hidden.png", "sub/c.tif", ".git/d.png", "sub/deep/e.png"]
    for name in names:
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*inputs: str) -> list[str]:
    return [item.path.as_posix() for item in find_pictures(inputs, [".png", ".jpg", ".tif"]).pictures]


def planned(*inputs: str, out: str | None = None, ending: str = "-x4") -> dict[str, str]:
    jobs = plan_jobs(
        find_pictures(inputs, [".png", ".jpg", ".tif"]).pictures,
        out,
        ending=ending,
        suffix_for=lambda suffix: ".png" if suffix == ".jpg" else suffix,
    )
    return {job.source.as_posix(): job.target.as_posix() for job in jobs}


def test_a_folder_gives_its_pictures_at_any_depth_in_order(tree: Path):
    assert found("photos") == ["photos/a.JPG", "photos/b.png", "photos/sub/c.tif", "photos/sub/deep/e.png"]


def test_a_pattern_gives_files(tree: Path):
    assert found("photos/*.png") == ["photos/b.png"]
    assert found("photos/**/*.png") == ["photos/b.png", "photos/sub/deep/e.png"]


def test_each_picture_comes_once(tree: Path):
    assert found("photos/sub/../b.png", "photos", "photos/b.png").count("photos/b.png") == 0
    assert len(found("photos/sub/../b.png", "photos", "photos/b.png")) == 4


def test_a_file_is_taken_whatever_it_is_called(tree: Path):
    assert found("photos/notes.txt", "missing.png") == ["photos/notes.txt", "missing.png"]


def test_a_name_with_brackets_is_a_file_where_it_exists(tree: Path):
    Path("photo[1].png").touch()
    assert found("photo[1].png") == ["photo[1].png"]


def test_nothing_found_at_all_is_an_error(tree: Path):
    Path("empty").mkdir()
    with pytest.raises(UsageError, match="no pictures in the folder empty"):
        found("empty", "x*")
    with pytest.raises(UsageError, match=r"no file matches x\*"):
        found("x*")


def test_an_input_that_gives_nothing_is_told_beside_what_others_give(tree: Path):
    Path("empty").mkdir()
    pictures, unusable = find_pictures(["x*", "photos/b.png", "empty"], [".png"])
    assert [item.path for item in pictures] == [Path("photos/b.png")]
    assert [str(error) for error in unusable] == [
        "no file matches x*",
        "no pictures in the folder empty; allowed: .png",
    ]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_closed_folder_is_told_beside_what_is_found(tree: Path):
    Path("photos/sub").chmod(0)
    pictures, unusable = find_pictures(["photos"], [".png"])
    Path("photos/sub").chmod(0o700)
    assert [item.path for item in pictures] == [Path("photos/b.png")]
    assert [str(error) for error in unusable] == ["cannot list the folder photos/sub; got Permission denied"]


def test_a_result_lies_beside_its_picture(tree: Path):
    assert planned("photos/a.JPG") == {"photos/a.JPG": "photos/a-x4.png"}


def test_results_of_a_folder_lie_in_a_folder_beside_it(tree: Path):
    assert planned("photos/") == {
        "photos/a.JPG": "photos-x4/a-x4.png",
        "photos/b.png": "photos-x4/b-x4.png",
        "photos/sub/c.tif": "photos-x4/sub/c-x4.tif",
        "photos/sub/deep/e.png": "photos-x4/sub/deep/e-x4.png",
    }


def test_results_of_the_current_folder_lie_beside_it(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tree / "photos")
    assert planned(".")["b.png"] == (tree / "photos-x4" / "b-x4.png").as_posix()


def test_out_is_a_folder_or_a_file(tree: Path):
    Path("v1.0").mkdir()
    assert planned("photos/b.png", out="new") == {"photos/b.png": "new/b-x4.png"}
    assert planned("photos/b.png", out="v1.0") == {"photos/b.png": "v1.0/b-x4.png"}
    assert planned("photos/b.png", out="v2.0/") == {"photos/b.png": "v2.0/b-x4.png"}
    assert planned("photos/b.png", out="big.webp") == {"photos/b.png": "big.webp"}
    assert planned("photos/sub", out="new") == {
        "photos/sub/c.tif": "new/c-x4.tif",
        "photos/sub/deep/e.png": "new/deep/e-x4.png",
    }


def test_one_file_cannot_hold_several_pictures(tree: Path):
    with pytest.raises(UsageError, match=r"-o big.png is one file; got 4 pictures; try -o big.png/"):
        planned("photos", out="big.png")


def test_results_never_share_a_name(tree: Path):
    for name in ["a.jpg", "a.png", "A.png", "a.tif"]:
        Path(name).touch()
    targets = planned("a.jpg", "a.png", "A.png", "a.tif", "photos/a.JPG", out="new")
    assert targets == {
        "a.jpg": "new/a-x4.png",
        "a.png": "new/a-x4-png.png",
        "A.png": "new/A-x4-png2.png",
        "a.tif": "new/a-x4.tif",
        "photos/a.JPG": "new/a-x4-jpg.png",
    }


def test_a_result_never_replaces_its_own_picture(tree: Path):
    for options in ({"out": "photos/b.png"}, {"ending": ""}, {"out": "photos", "ending": ""}):
        with pytest.raises(UsageError, match=r"would replace photos/b\.png"):
            planned("photos/b.png", **options)


def test_results_of_an_earlier_run_are_not_enlarged_again(tree: Path):
    Path("photos/b-x4.png").touch()
    assert planned("photos/b-x4.png", "photos/b.png") == {"photos/b.png": "photos/b-x4.png"}
    Path("photos/out").mkdir()
    Path("photos/out/b-x4.png").touch()
    assert "photos/out/b-x4.png" not in planned("photos", out="photos/out")


def test_no_pictures_no_jobs():
    assert plan_jobs([], None, ending="-x4", suffix_for=str) == []
    assert Found(Path("a.png")).root is None
