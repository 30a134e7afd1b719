import numpy as np

from relume.degrade.sharpen import Sharpen


def test_edges_overshoot_and_what_is_below_the_threshold_stays():
    edge = np.full((16, 32, 3), 100, np.uint8)
    edge[:, 16:] = 160
    sharp = Sharpen(amount=1)(edge)
    assert sharp.shape == edge.shape
    assert sharp.min() < 90
    assert sharp.max() > 170
    assert np.array_equal(sharp[:, [0, -1]], edge[:, [0, -1]])
    faint = np.where(edge == 100, np.uint8(100), np.uint8(103))
    assert np.array_equal(Sharpen()(faint), faint)


def test_the_amount_scales_what_is_added():
    edge = np.full((16, 32, 3), 100, np.uint8)
    edge[:, 16:] = 160
    added = [Sharpen(amount=amount)(edge).astype(int) - edge for amount in (0.5, 1.0)]
    assert np.abs(2 * added[0] - added[1]).max() <= 2
