import numpy as np
import pytest

from relume.degrade.blur import Blur, Ringing


def test_kernels_are_of_all_kinds_and_sides():
    drawn = [Blur().draw_kernel(np.random.default_rng(seed)) for seed in range(300)]
    assert {len(kernel) for kernel in drawn} == set(range(7, 22, 2))
    assert all(kernel.sum() == pytest.approx(1, abs=1e-5) for kernel in drawn)
    ringing = sum(bool((kernel < -1e-5).any()) for kernel in drawn) / len(drawn)
    assert 0.04 < ringing < 0.2
    round_ones = sum(np.allclose(k, k.T, atol=1e-6) and np.allclose(k, k[::-1], atol=1e-6) for k in drawn)
    assert 0.6 < round_ones / len(drawn) < 0.85


@pytest.mark.parametrize("step", [Blur(sigma=(1.0, 3.0)), Ringing()])
def test_blur_keeps_size_and_constant_pictures_up_to_their_edges(step):
    flat = np.full((24, 30, 3), 0.3, np.float32)
    for seed in range(10):
        assert np.allclose(step(flat, np.random.default_rng(seed)), 0.3, atol=1e-5)


def test_ringing_overshoots_at_an_edge_and_blur_does_not():
    edge = np.full((40, 40, 3), 0.25, np.float32)
    edge[:, 20:] = 0.75
    assert Ringing()(edge, np.random.default_rng(0)).max() > 0.76
    assert Blur(sinc=0)(edge, np.random.default_rng(0)).max() < 0.7501
