import numpy as np
import pytest

from relume.degrade import mpeg
from relume.degrade.mpeg import Mpeg2
from relume.errors import UsageError


def test_a_coarse_quantiser_loses_more_and_the_size_stays(waves):
    def error(quantiser: int) -> float:
        coded = Mpeg2((quantiser, quantiser))(waves, np.random.default_rng(1))
        assert (coded.shape, coded.dtype) == (waves.shape, np.float32)
        return float(np.abs(coded - waves).mean())

    assert error(31) > 1.3 * error(2) > 0


def test_the_draw_decides_everything(waves):
    first, again, other = (Mpeg2()(waves, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_moves_nothing_and_keeps_the_mean(waves):
    """Whichever frame of the shot is taken, and however the shot pans."""
    step = Mpeg2((2, 6))
    error = np.mean([step(waves, np.random.default_rng(seed)) - waves for seed in range(12)], axis=0)
    for axis in (0, 1):
        slope = np.gradient(waves, axis=axis)
        assert abs((error * slope).sum() / (slope**2).sum()) < 0.05
    assert np.abs(error.mean(axis=(0, 1))).max() * 255 < 0.5


def test_predicted_frames_have_other_errors_than_the_first(waves):
    """Without a pan all frames show the same, but they are not coded alike."""
    shot = [mpeg._planes(waves @ mpeg.FROM_RGB.T)] * 4
    frames = mpeg._coded(shot, waves.shape[1], 16)
    assert len(frames) == 4
    assert not np.array_equal(frames[0], frames[3]) or not np.array_equal(frames[0], frames[1])


@pytest.mark.parametrize("shape", [(1, 3, 3), (33, 47, 3)])
def test_any_size(shape: tuple[int, int, int]):
    image = np.full(shape, 0.5, np.float32)
    assert np.abs(Mpeg2()(image, np.random.default_rng(0)) - image).max() < 0.02


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mpeg, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="relume\\[video\\]"):
        Mpeg2()
