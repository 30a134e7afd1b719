import os
from pathlib import Path

import pytest

from relume.errors import UsageError
from relume.jobs.discovery import Filters, find_pictures


def found(*inputs: str) -> list[str]:
    return [item.path.as_posix() for item in find_pictures(inputs, [".png", ".jpg", ".tif"]).pictures]


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


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        (["*.png"], [], ["b.png", "sub/deep/e.png"]),
        ([], ["*/sub/*"], ["a.JPG", "b.png"]),
        (["*.tif", "a*"], ["*.JPG"], ["sub/c.tif"]),
        (["photos/*.png"], [], ["b.png", "sub/deep/e.png"]),
    ],
)
def test_filters(tree: Path, include: list[str], exclude: list[str], left: list[str]):
    filters = Filters(tuple(include), tuple(exclude))
    pictures = find_pictures(["photos"], [".png", ".jpg", ".tif"], filters).pictures
    assert [item.path.relative_to("photos").as_posix() for item in pictures] == left
    with pytest.raises(UsageError, match="leave none of 4 pictures"):
        find_pictures(["photos"], [".png", ".jpg", ".tif"], Filters(exclude=("*",)))


def test_the_folder_of_results_is_not_searched_below_another(tree: Path):
    for results in ("photos/sub", tree / "photos" / "sub"):
        pictures = find_pictures(["photos"], [".png"], results=results).pictures
        assert [item.path.name for item in pictures] == ["b.png"]
    assert len(find_pictures(["photos/sub"], [".png"], results="photos/sub").pictures) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_links_to_folders_are_not_followed(tree: Path):
    Path("photos/loop").symlink_to(tree)
    assert len(found("photos")) == 4
