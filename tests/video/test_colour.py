import numpy as np
import pytest

from relume.video.colour import MATRICES, Coding, from_rgb, to_rgb

BARS = np.array(
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], np.float32
)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("bits", "largest"), [(8, 1.2), (10, 0.3), (12, 0.09), (16, 0.007)])
def test_colour_bars_survive_the_round_trip(matrix: int, full: bool, bits: int, largest: float):
    """Within the stated error, in levels of 8 bits, and a second round trip changes nothing more."""
    bars = np.repeat(np.repeat(0.75 * BARS[None], 8, axis=1), 8, axis=0)
    for across, down in ((1, 1), (2, 1), (2, 2), (4, 1)):
        coding = Coding(matrix, full, bits, across, down)
        planes = from_rgb(bars, coding)
        back = to_rgb(planes, coding)
        inside = np.s_[:, 4::8]  # the middle of bars: chroma blurs their borders
        assert 255 * np.abs(back - bars)[inside].max() <= largest
        if across == down == 1:
            again = from_rgb(back, coding)
            assert max(np.abs(a.astype(int) - b).max() for a, b in zip(planes, again, strict=True)) <= 1


def test_known_levels():
    """BT.709 at 10 bits, limited range: 75 % bars as ITU-R BT.1729 lists them, to the level."""
    planes = from_rgb(0.75 * BARS[None], Coding(1, False, 10))
    assert planes[0][0].tolist() == [721, 674, 581, 534, 251, 204, 111, 64]
    assert planes[1][0].tolist() == [512, 176, 589, 253, 771, 435, 848, 512]
    assert planes[2][0].tolist() == [512, 543, 176, 207, 817, 848, 481, 512]


def test_chroma_stays_where_it_is():
    """A slope of colour along a row is interpolated exactly: chroma lies on the left luma sample of two."""
    slope = np.linspace(0.2, 0.8, 32, dtype=np.float32)
    picture = np.stack([slope, np.full(32, 0.5, np.float32), slope[::-1]], axis=-1)[None].repeat(8, axis=0)
    coding = Coding(1, True, 16, 2, 2)
    back = to_rgb(from_rgb(picture, coding), coding)
    assert np.abs(back - picture)[:, 2:-3].max() < 1e-4


def test_grey_and_rgb():
    rgb = np.random.default_rng(0).random((5, 7, 3), np.float32)
    assert np.abs(to_rgb(from_rgb(rgb, Coding(0, True, 10)), Coding(0, True, 10)) - rgb).max() < 0.6 / 1023
    grey = np.repeat(rgb[..., :1], 3, axis=2)
    planes = from_rgb(grey, Coding(6, False, 8, grey=True))
    assert len(planes) == 1
    assert np.abs(to_rgb(planes, Coding(6, False, 8, grey=True)) - grey).max() < 0.6 / 219
