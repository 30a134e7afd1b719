import numpy as np
import pytest

from relume.degrade.compression import Compression


@pytest.mark.parametrize("webp", [0, 1])
def test_low_quality_loses_more_and_the_size_stays(waves, webp):
    noisy = (waves + np.random.default_rng(0).normal(0, 0.05, (128, 96, 1))).clip(0, 1).astype(np.float32)

    def error(quality):
        saved = Compression((quality, quality), webp)(noisy, np.random.default_rng(1))
        assert saved.shape == noisy.shape
        assert saved.dtype == np.float32
        return np.abs(saved - noisy).mean()

    assert error(20) > 1.3 * error(90) > 0


def test_blocks_begin_anywhere(waves):
    """The steepest jumps of a strongly compressed picture are at another column with every draw."""
    places = set()
    for seed in range(24):
        saved = Compression((5, 5))(waves, np.random.default_rng(seed))
        jumps = np.abs(np.diff(saved - waves, axis=1)).mean(axis=(0, 2))
        places.add(int(np.argmax([jumps[start::8].mean() for start in range(8)])))
    assert len(places) >= 6


@pytest.mark.parametrize("webp", [0, 1])
def test_compression_moves_nothing_and_keeps_the_mean(waves, webp):
    step = Compression((60, 95), webp)
    error = np.mean([step(waves, np.random.default_rng(seed)) - waves for seed in range(12)], axis=0)
    for axis in (0, 1):
        slope = np.gradient(waves, axis=axis)
        assert abs((error * slope).sum() / (slope**2).sum()) < 0.05
    assert np.abs(error.mean(axis=(0, 1))).max() * 255 < 0.5


def test_pictures_smaller_than_a_block_are_compressed_too():
    assert Compression()(np.zeros((1, 3, 3), np.float32), np.random.default_rng(3)).shape == (1, 3, 3)
