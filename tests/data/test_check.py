import pytest
from PIL import Image

from relume.data.check import check
from relume.errors import InputError
from relume.image import read_picture, with_provenance, write_picture


def test_report_tells_what_is_wrong_and_what_is_lost(photos, tmp_path):
    (photos / "broken.jpg").write_bytes(b"")
    Image.new("L", (60, 60), 90).save(photos / "grey.png")
    Image.new("RGBA", (60, 60)).save(photos / "clear.png")
    (photos / "copy.png").write_bytes((photos / "a.png").read_bytes())
    own = read_picture(photos / "a.png")
    write_picture(
        own.replace(pixels=1 - own.pixels, xmp=with_provenance(None, "relume x", "1")), photos / "own.png"
    )
    Image.open(photos / "c.png").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "excluded.png")
    report = check(
        [photos], exclude=[tmp_path / "excluded.png"], crop_px=40, scale=4, sheet=tmp_path / "sheet.png"
    )
    assert (report.num_pictures, report.num_usable) == (8, 6)
    assert set(report.unusable) == {str(photos / "broken.jpg"), str(photos / "b.png")}
    assert report.noted["grey"] == [str(photos / "grey.png")]
    assert any(note.startswith("transparent") for note in report.noted)
    assert report.repeated == {str(photos / "copy.png"): str(photos / "a.png")}
    assert report.noted["made by relume (networks should not learn from those)"] == [str(photos / "own.png")]
    assert report.excluded == {str(photos / "c.png"): f"looks like {tmp_path / 'excluded.png'}"}
    assert report.smallest == (50, 40)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 8 * 40


def test_missing_pictures_to_exclude_are_told_before_any_work(photos, tmp_path):
    with pytest.raises(InputError, match="Set14 does not exist; allowed: a folder of pictures"):
        check([photos], exclude=[tmp_path / "Set14"], crop_px=40, sheet=tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()
