import numpy as np
import pytest

from relume.degrade.bicubic import Downsample
from relume.degrade.blur import Ringing
from relume.degrade.chain import Chain, Sometimes
from relume.train.recipe_files import load_recipe


def chain(scale: int) -> Chain:
    return load_recipe("photo-x4").degradation.build(scale)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_the_result_has_exactly_the_final_size_and_depends_on_the_generator_only(scale):
    image = np.random.default_rng(0).random((60, 72, 3), dtype=np.float32)
    before = image.copy()
    for seed in range(12):
        result, again = (chain(scale)(image, np.random.default_rng(seed)) for _ in range(2))
        assert result.shape == (60 // scale, 72 // scale, 3)
        assert result.dtype == np.float32
        assert 0 <= result.min() <= result.max() <= 1
        assert np.array_equal(result, again)
    assert np.array_equal(image, before)


def test_margins_are_whole_output_pixels():
    assert [chain(scale).margin_px for scale in (1, 2, 3, 4)] == [16, 16, 18, 16]


def mean_difference(image, num_draws):
    plain = Downsample(2, kernel="area", intermediate="float")(image, np.random.default_rng(0))
    draws = [chain(2)(image, np.random.default_rng(seed)) for seed in range(num_draws)]
    return plain, np.mean(draws, axis=0) - plain


def mean_shift(image, num_draws):
    """First-order registration to the plainly shrunk picture, in output pixels."""
    plain, difference = mean_difference(image, num_draws)
    slopes = [np.gradient(plain, axis=axis) for axis in (0, 1)]
    explaining = np.stack([*slopes, plain, np.ones_like(plain)], axis=-1).reshape(-1, 4)
    return np.linalg.lstsq(explaining, difference.ravel(), rcond=None)[0][:2]


def test_degraded_crops_are_where_plainly_shrunk_ones_are(waves):
    """With its reflection: what the pattern itself does to the estimate cancels, a shift does not."""
    one_pattern = 0.5 + (waves[..., :1] - 0.5) * np.float32([1.1, 0.5, 0.8])  # halved chroma mixes channels
    turned = np.ascontiguousarray(one_pattern[::-1, ::-1])
    shift = (mean_shift(one_pattern, 120) + mean_shift(turned, 120)) / 2
    assert np.abs(shift).max() < 0.02


def test_greys_stay_grey_on_average():
    _, difference = mean_difference(np.full((64, 64, 3), 0.45, np.float32), 150)
    assert np.abs(difference.mean(axis=(0, 1))).max() * 255 < 1
    assert np.ptp(difference.mean(axis=(0, 1))) * 255 < 0.5


def test_edges_are_no_darker_or_brighter_than_the_middle():
    _, difference = mean_difference(np.full((64, 64, 3), 0.45, np.float32), 60)
    frame = difference.copy()
    frame[2:-2, 2:-2] = np.nan
    assert abs(np.nanmean(frame)) * 255 < 1


class Noting:
    """A step that notes its name where it is called."""

    def __init__(self, name, called):
        self.name, self.called = name, called

    def __call__(self, image, rng):
        self.called.append(self.name)
        return image


def test_steps_come_in_random_order_within_their_round_only():
    called = []
    rounds = (tuple(Noting(name, called) for name in "ab"), tuple(Noting(name, called) for name in "cd"))
    image, orders = np.zeros((4, 4, 3), np.float32), set()
    for seed in range(40):
        called.clear()
        Chain(2, rounds)(image, np.random.default_rng(seed))
        orders.add("".join(called))
    assert orders == {"abcd", "bacd", "abdc", "badc"}
    called.clear()
    Chain(2, rounds, shuffled=False)(image, np.random.default_rng(1))
    assert "".join(called) == "abcd"


def test_sometimes_happens_as_often_as_it_says():
    called = []
    step = Sometimes(Noting("x", called), 0.25)
    for seed in range(400):
        step(np.zeros((1, 1, 3), np.float32), np.random.default_rng(seed))
    assert 70 < len(called) < 130
    assert Sometimes(Ringing(), 0.5) == Sometimes(Ringing(), 0.5)
