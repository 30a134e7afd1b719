from dataclasses import replace

import numpy as np
import pytest

from relume.fidelity.resampling import Pixels, enlarge, shrink
from relume.restoration import Restoration, strips

RANDOM = np.random.default_rng(7)
LQ = RANDOM.random((70, 33, 3), dtype=np.float32)


def sharpen(lq: Pixels) -> Pixels:
    """A network of reach 1 that is not symmetric, drifts in colour and overshoots."""
    mixed = 1.2 * lq - 0.2 * np.pad(lq, ((1, 0), (1, 0), (0, 0)), mode="reflect")[:-1, :-1] + 0.03
    return np.clip(mixed.repeat(4, 0).repeat(4, 1), 0, 1).astype(np.float32)


PLAIN = Restoration(network=sharpen, scale=4, reach_px=1)


@pytest.mark.parametrize(
    "options",
    [{}, {"lock_colours": True}, {"consistent": True}, {"wrap": True}, {"ensemble": True, "strength": 0.5}],
    ids=str,
)
@pytest.mark.parametrize("size", [(280, 132), (175, 83), (35, 16), (413, 200)], ids=str)
def test_strips_are_parts_of_the_whole(options: dict[str, bool], size: tuple[int, int]):
    restoration = replace(PLAIN, **options)
    whole = restoration.rows(LQ, *size)
    parts = [restoration.rows(LQ, *size, first, last) for first, last in strips(*size, largest=size[1] * 40)]
    assert whole.shape == (*size, 3)
    assert abs(np.concatenate(parts) - whole).max() < 2e-4


def test_parts_of_networks_with_a_grid_begin_on_it():
    seen: list[int] = []

    def network(lq: Pixels) -> Pixels:
        seen.append(int(lq[0, 0, 0]))
        return lq

    rows = np.arange(100, dtype=np.float32)[:, None, None].repeat(3, 2)
    Restoration(network=network, scale=1, reach_px=5, multiple=8).rows(rows, 100, 1, 60, 70)
    assert seen == [48]


@pytest.mark.parametrize("options", [{}, {"lock_colours": True}, {"consistent": True}], ids=str)
@pytest.mark.parametrize("size", [(280, 132), (400, 190)], ids=str)
def test_a_texture_is_restored_as_amid_copies_of_itself(options: dict[str, bool], size: tuple[int, int]):
    amid = replace(PLAIN, **options).rows(np.tile(LQ, (3, 3, 1)), 3 * size[0], 3 * size[1])
    result = replace(PLAIN, **options, wrap=True).rows(LQ, *size)
    assert abs(amid[size[0] : -size[0], size[1] : -size[1]] - result).max() < 2e-4


def test_a_texture_of_one_pixel():
    assert replace(PLAIN, wrap=True).rows(LQ[:1, :1], 4, 4).shape == (4, 4, 3)


def test_the_ensemble_of_a_symmetric_network_is_its_result():
    def network(lq: Pixels) -> Pixels:
        return enlarge(lq, 4, "bicubic")

    once, eight = (
        replace(PLAIN, network=network, ensemble=ensemble).rows(LQ, 280, 132) for ensemble in (False, True)
    )
    assert abs(once - eight).max() < 1e-5


def test_the_ensemble_turns_with_the_picture():
    eight = replace(PLAIN, ensemble=True)
    turned = eight.rows(np.ascontiguousarray(np.rot90(LQ)), 132, 280)
    assert abs(np.rot90(turned, -1) - eight.rows(LQ, 280, 132)).max() < 1e-5


def test_strength_goes_from_the_kernel_to_the_network():
    none, half, full = (replace(PLAIN, strength=s).rows(LQ, 280, 132) for s in (0, 0.5, 1))
    assert (full == sharpen(LQ)).all()
    assert abs(none - np.clip(enlarge(LQ, 4, "bicubic"), 0, 1)).max() < 1e-6
    assert abs(half - (none + full) / 2).max() < 1e-6


def test_consistent_results_give_the_input_back():
    lq = shrink(np.clip(enlarge(LQ * 0.6 + 0.2, 4, "bicubic"), 0, 1), 4, "bicubic")
    loose, tight = (replace(PLAIN, consistent=c).rows(lq, 280, 132) for c in (False, True))
    assert 255 * abs(shrink(loose, 4, "bicubic") - lq).max() > 5
    assert 255 * abs(shrink(tight, 4, "bicubic") - lq).max() < 1


def test_nothing_is_invented_where_the_result_is_the_smoothest_that_fits():
    lq = np.full((20, 20, 3), 0.5, np.float32)
    flat = np.full((80, 80, 3), 0.5, np.float32)
    flat[30:40] += 32 / 255
    found = PLAIN.departure_rows(lq, flat[20:60], 80, 80, 20)
    assert found.shape == (40, 80)
    assert found[:10].max() == 0
    assert abs(found[12:18] - 0.5).max() < 0.01


@pytest.mark.parametrize(("height", "width", "largest"), [(1, 1, 1), (10, 7, 21), (1000, 3, 1), (5, 5, 99)])
def test_strips_cover_every_row_once(height: int, width: int, largest: int):
    found = list(strips(height, width, largest))
    assert [row for first, last in found for row in range(first, last)] == list(range(height))
    assert all((last - first) * width <= max(largest, width) for first, last in found)
