import numpy as np

from relume.degrade.bicubic import Downsample


def test_margin_covers_the_kernel():
    rng = np.random.default_rng(0)
    picture = rng.random((96, 96, 3)).astype(np.float32)
    downsample = Downsample(4)
    margin = downsample.margin_px
    whole = downsample(picture, rng)
    part = downsample(
        np.ascontiguousarray(picture[32 - margin : 64 + margin, 32 - margin : 64 + margin]), rng
    )
    inner = part[margin // 4 : -(margin // 4), margin // 4 : -(margin // 4)]
    assert np.array_equal(inner, whole[8:16, 8:16])
    assert margin % 4 == 0
