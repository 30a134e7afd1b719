import numpy as np
import pytest

from relume.metrics.window import gaussian, slide


def test_gaussian_weights():
    weights = gaussian(3, sigma=7 / 6)
    assert (len(weights), weights.sum()) == (7, pytest.approx(1))
    assert weights[3] / weights[2] == pytest.approx(np.exp(0.5 * (6 / 7) ** 2))


def test_slide_is_the_weighted_sum_wherever_the_window_fits():
    values = np.random.default_rng(0).random((6, 5))
    window = np.array([1.0, 2.0, -1.0])
    by_hand = [
        [(np.outer(window, window) * values[i : i + 3, j : j + 3]).sum() for j in range(3)] for i in range(4)
    ]
    np.testing.assert_allclose(slide(values, window), by_hand)
