import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from relume.metrics.luma import luma


@pytest.mark.parametrize(("grey", "y"), [(0, 16), (1, 235)])
def test_ends_of_the_studio_range(grey: float, y: float):
    assert luma(np.full((1, 1, 3), grey)) == pytest.approx(y)


def test_agrees_with_scikit_image():
    rgb = np.random.default_rng(0).random((5, 7, 3))
    np.testing.assert_allclose(luma(rgb), rgb2ycbcr(rgb)[..., 0], atol=1e-9)
