from pathlib import Path

import pytest

from relume.data.gopro import prepare_gopro
from relume.data.pairs import find_pairs
from relume.errors import InputError, OutputError


@pytest.fixture
def gopro(tmp_path) -> Path:
    """The dataset's folders with three training pairs and a test pair; a file's text is its place."""
    root = tmp_path / "GOPRO_Large"
    frames = {"train/GOPR0372_07_00": ("000047", "000048"), "train/GOPR0374_11_00": ("000047",)}
    frames["test/GOPR0384_11_00"] = ("000001",)
    for sequence, names in frames.items():
        for kind in ("blur", "blur_gamma", "sharp"):
            (root / sequence / kind).mkdir(parents=True)
            for name in names:
                (root / sequence / kind / f"{name}.png").write_text(f"{sequence} {kind} {name}")
    return root


@pytest.mark.parametrize("copy", [False, True])
def test_pairs_are_laid_out_and_the_originals_linked_or_copied(gopro, tmp_path, copy):
    target = tmp_path / "pairs"
    assert prepare_gopro(gopro, target, copy=copy) == {"train": 3, "test": 1}
    name = "GOPR0372_07_00_000048.png"
    assert (target / "train" / "A" / name).read_text() == "train/GOPR0372_07_00 blur 000048"
    assert (target / "train" / "B" / name).read_text() == "train/GOPR0372_07_00 sharp 000048"
    original = gopro / "train" / "GOPR0372_07_00" / "sharp" / "000048.png"
    assert (target / "train" / "B" / name).samefile(original) is not copy
    assert len(find_pairs([target / "train", target / "test"])) == 4


def test_an_interrupted_preparation_goes_on_and_leaves_no_half_file(gopro, tmp_path):
    class Interrupted(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Interrupted

    target = tmp_path / "pairs"
    with pytest.raises(Interrupted):
        prepare_gopro(gopro, target, copy=True, progress=stop)
    there = {path: path.stat().st_ino for path in target.rglob("*.png")}
    assert len(there) == 3
    told: list[tuple[int, int]] = []
    prepare_gopro(gopro, target, copy=True, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (8, 8)
    assert {path: path.stat().st_ino for path in there} == there
    assert len(list(target.rglob("*.png"))) == 8


def test_blur_in_light_is_another_data_set(gopro, tmp_path):
    prepare_gopro(gopro, tmp_path / "light", blur="blur_gamma")
    path = tmp_path / "light" / "test" / "A" / "GOPR0384_11_00_000001.png"
    assert path.read_text() == "test/GOPR0384_11_00 blur_gamma 000001"
    with pytest.raises(InputError, match=r"is there already and is not .*blur/.*; choose an empty target"):
        prepare_gopro(gopro, tmp_path / "light")


def test_a_wrong_or_incomplete_source_is_refused_before_anything_is_written(gopro, tmp_path):
    target = tmp_path / "pairs"
    for source, found in ((tmp_path, "GOPRO_Large"), (tmp_path / "nowhere", "no folder")):
        with pytest.raises(InputError, match=rf"is not the GOPRO dataset; got {found}; allowed: train\|test"):
            prepare_gopro(source, target)
    (gopro / "test" / "GOPR0384_11_00" / "blur" / "000001.png").rename(
        gopro / "test" / "GOPR0384_11_00" / "blur" / "000002.png"
    )
    with pytest.raises(InputError, match=r"no partner; got blur/000002.png, sharp/000001.png"):
        prepare_gopro(gopro, target)
    assert not target.exists()


def test_a_target_that_cannot_be_made_is_an_output_error(gopro, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        prepare_gopro(gopro, tmp_path / "file")
