import numpy as np
import pytest

from relume.engine.tiles import fit_tiles, overlap, plan_cuts, plan_tiles

RANDOM = np.random.default_rng(7)
CASES = [(1, 1, 1, 0, 1), (1, 1, 32, 11, 1), (64, 1, 1, 40, 1), (866, 866, 440, 11, 1), (4, 400, 8, 5, 4)] + [
    (
        int(RANDOM.integers(1, 120)) * multiple,
        int(RANDOM.integers(1, 120)) * multiple,
        int(RANDOM.integers(1, 70)),
        int(RANDOM.integers(0, 30)),
        multiple,
    )
    for multiple in (1, 1, 2, 4, 16)
    for _ in range(40)
]


@pytest.mark.parametrize(("height", "width", "tile", "halo", "multiple"), CASES)
def test_tiles_cover_once_and_see_the_halo(height: int, width: int, tile: int, halo: int, multiple: int):
    covered = np.zeros((height, width), int)
    for part in plan_tiles(height, width, (tile, tile), halo, multiple):
        covered[part.output(1)] += 1
        for cut, length in ((part.rows, height), (part.columns, width)):
            assert 0 <= cut.start <= cut.first < cut.last <= cut.stop <= length
            assert cut.start == 0 or cut.first - cut.start >= halo
            assert cut.stop == length or cut.stop - cut.last >= halo
            assert cut.start % multiple == cut.stop % multiple == 0
    assert (covered == 1).all()


@pytest.mark.parametrize(("height", "width", "tile", "halo", "multiple"), CASES)
def test_windows_are_equal_and_no_larger_than_asked(
    height: int, width: int, tile: int, halo: int, multiple: int
):
    tiles = plan_tiles(height, width, (tile, tile), halo, multiple)
    for cuts, length in (({t.rows for t in tiles}, height), ({t.columns for t in tiles}, width)):
        (side,) = {cut.stop - cut.start for cut in cuts}
        up = -(-tile // multiple) * multiple + 2 * -(-halo // multiple) * multiple
        assert side <= min(up, length)


def test_a_picture_that_fits_is_one_tile():
    (cut,) = plan_cuts(100, tile=80, halo=10)
    assert (cut.start, cut.stop, cut.first, cut.last) == (0, 100, 0, 100)


def test_windows_share_the_work_evenly():
    assert [(c.start, c.stop) for c in plan_cuts(866, tile=440, halo=11)] == [(0, 444), (422, 866)]


def test_crop_and_output_are_scaled():
    cut = plan_cuts(100, tile=30, halo=5)[1]
    assert cut.output(4) == slice(4 * cut.first, 4 * cut.last)
    assert cut.crop(4) == slice(4 * 5, 4 * (5 + cut.last - cut.first))


@pytest.mark.parametrize(("height", "width"), [(750, 1000), (1000, 750), (40, 5000), (333, 334)])
@pytest.mark.parametrize("halo", [0, 11, 39])
def test_fitted_tiles_have_windows_that_fit_and_overlap_less_than_squares(height: int, width: int, halo: int):
    largest = 200 * 220
    tile = fit_tiles(height, width, largest, halo, 16)
    windows = [part.window() for part in plan_tiles(height, width, tile, halo)]
    assert max((r.stop - r.start) * (c.stop - c.start) for r, c in windows) <= largest
    square = max(16, int(largest**0.5) - 2 * halo)
    assert overlap(height, width, tile, halo) <= overlap(height, width, (square, square), halo)


def test_pictures_that_fit_are_whole_and_where_nothing_fits_tiles_are_the_smallest():
    assert fit_tiles(30, 40, 1200, 11, 16) == (30, 40)
    assert fit_tiles(300, 400, 100, 11, 16) == (16, 16)
