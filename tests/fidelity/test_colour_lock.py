import numpy as np

from relume.fidelity.colour_lock import lock_colours
from relume.fidelity.resampling import enlarge, shrink

RANDOM = np.random.default_rng(5)
LQ = RANDOM.random((48, 60, 3), dtype=np.float32) * 0.5 + 0.25
SR = np.clip(enlarge(LQ, 4, "bicubic"), 0, 1)


def test_a_drift_of_colour_is_taken_back():
    drift = np.linspace(0.02, 0.06, 240, dtype=np.float32)[None, :, None] * np.array([1, 0, -1], np.float32)
    locked = lock_colours(SR + drift, LQ, 4, "bicubic")
    before, after = (abs(x.mean(axis=(0, 1)) - SR.mean(axis=(0, 1))) for x in (SR + drift, locked))
    assert 255 * before.max() > 10
    assert 255 * after.max() < 0.1
    blocks = shrink(locked - SR, 48, "box") * 255
    assert abs(blocks).max() < 0.5


def test_detail_stays():
    detail = RANDOM.normal(0, 0.03, SR.shape).astype(np.float32)
    locked = lock_colours(SR + detail, LQ, 4, "bicubic")
    assert abs(locked - SR - detail).std() < 0.05 * detail.std()


def test_sizes_smaller_than_the_blur():
    assert lock_colours(SR[:4, :8].copy(), LQ[:1, :2], 4, "bicubic").shape == (4, 8, 3)


def test_grey_stays_grey():
    locked = lock_colours(SR.mean(axis=2, keepdims=True).repeat(3, 2), LQ[..., :1].repeat(3, 2), 4, "box")
    assert (locked == locked[..., :1]).all()
