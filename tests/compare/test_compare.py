import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from relume import compare as module
from relume.compare import GAP_PX, compare
from relume.errors import InputError, OutputError


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A picture, and itself enlarged, with a name that HTML must not take for markup."""
    noise = np.random.default_rng(0).integers(0, 256, (7, 10, 3), np.uint8)
    small, large = tmp_path / "a<b>&$x.png", tmp_path / "large.png"
    Image.fromarray(noise).save(small)
    Image.fromarray(noise).resize((40, 28), Image.Resampling.NEAREST).save(large)
    return small, large


def embedded(page: Path) -> list[Image.Image]:
    """The pictures in the page."""
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', page.read_text())
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def test_both_are_shown_at_the_larger_size(pair: tuple[Path, Path], tmp_path: Path):
    picture, page = compare(*pair, tmp_path / "both.v1")
    assert (picture.name, page.name) == ("both.v1.png", "both.v1.html")
    with Image.open(pair[1]) as large, Image.open(picture) as sheet:
        assert sheet.size == (40 + GAP_PX + 40, 28)
        right = np.asarray(sheet)[:, 40 + GAP_PX :]
        assert (right == np.asarray(large)).all()
        left, embedded_right = map(np.asarray, embedded(page))
        assert (embedded_right == right).all()
        assert (left == np.asarray(sheet)[:, :40]).all()
        assert not (left == right).all()


def test_the_page_is_well_formed_and_needs_nothing_else(pair: tuple[Path, Path], tmp_path: Path):
    text = compare(*pair, tmp_path / "both").page.read_text()
    assert "left: a&lt;b&gt;&amp;$x.png, 10 × 7" in text
    assert not re.search(r"https?://|<link|<script|@import", text)
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)
    parser.feed(text)
    assert tags.count("img") == 2
    assert tags.count("b") == 0


def test_transparency_and_profiles_become_what_is_seen(tmp_path: Path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (4, 4), (200, 10, 10)).save(tmp_path / "red.png", icc_profile=profile)
    left, right = embedded(compare(tmp_path / "clear.png", tmp_path / "red.png", tmp_path / "c").page)
    assert left.getpixel((0, 0)) == (255, 255, 255)
    assert np.abs(np.subtract(right.getpixel((0, 0)), (200, 10, 10))).max() <= 1


def test_pictures_on_the_page_are_not_too_large_for_browsers(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "LARGEST_ON_PAGE", 300)
    assert [image.size for image in embedded(compare(*pair, tmp_path / "c").page)] == [(20, 14)] * 2


def test_different_proportions_and_bad_files_are_refused(pair: tuple[Path, Path], tmp_path: Path):
    Image.new("RGB", (300, 100)).save(tmp_path / "wide.png")
    with pytest.raises(InputError, match="different proportions; got 40 × 28 and 300 × 100"):
        compare(pair[1], tmp_path / "wide.png", tmp_path / "c")
    with pytest.raises(InputError, match="no such file"):
        compare(pair[0], tmp_path / "missing.png", tmp_path / "c")
    with pytest.raises(OutputError):
        compare(*pair, pair[0] / "c")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".png"] * 3
