import os
from pathlib import Path

import pytest

from relume.errors import OutputError, UsageError
from relume.jobs.discovery import Found, find_pictures
from relume.jobs.journal import Journal
from relume.jobs.naming import Job, make_result_folder, plan_jobs


def planned(*inputs: str, out: str | None = None, ending: str = "-x4") -> dict[str, str]:
    jobs = plan_jobs(
        find_pictures(inputs, [".png", ".jpg", ".tif"]).pictures,
        out,
        ending=ending,
        suffix_for=lambda suffix: ".png" if suffix == ".jpg" else suffix,
    )
    return {job.source.as_posix(): job.target.as_posix() for job in jobs}


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


def test_a_picture_named_like_a_result_is_not_replaced(tree: Path):
    Path("photos/b-x4.png").touch()
    assert planned("photos/b-x4.png", "photos/b.png") == {
        "photos/b-x4.png": "photos/b-x4-x4.png",
        "photos/b.png": "photos/b-x4-png.png",
    }


def test_results_of_an_earlier_run_are_not_enlarged_again(tree: Path):
    job = Job(Path("photos/b.png"), Path("photos/b-x4.png"), Path("photos"))
    with Journal("").writing(job):
        job.target.touch()
    assert planned("photos/b-x4.png", "photos/b.png") == {"photos/b.png": "photos/b-x4.png"}
    job.target.write_text("edited since")
    assert len(planned("photos/b-x4.png", "photos/b.png")) == 2


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_nothing_is_written_through_links_out_of_the_folder(tree: Path):
    Path("elsewhere").mkdir()
    Path("out").mkdir()
    Path("out/sub").symlink_to(tree / "elsewhere")
    job = Job(Path("a.png"), Path("out/sub/deep/a.png"), Path("out"))
    with pytest.raises(OutputError, match=r"a link leads out of out; got out/sub/deep → .*elsewhere/deep"):
        make_result_folder(job)
    assert os.listdir("elsewhere") == []
    Path("link").symlink_to("elsewhere")  # what the user names may be a link
    make_result_folder(Job(Path("a.png"), Path("link/new/a.png"), Path("link")))
    assert os.listdir("elsewhere") == ["new"]


def test_no_pictures_no_jobs():
    assert plan_jobs([], None, ending="-x4", suffix_for=str) == []
    assert Found(Path("a.png")).root is None
