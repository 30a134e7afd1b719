import numpy as np
import pytest

from relume.image import Picture
from relume.jobs.sampling import patchwork


@pytest.mark.parametrize("shape", [(200, 300), (5, 4000), (1, 1), (3, 3)])
def test_a_patchwork_is_small_and_from_everywhere(shape: tuple[int, int]):
    rows, columns = np.indices(shape, np.float32) / max(shape)
    picture = Picture(np.stack([rows, columns, rows], 2), alpha=rows)
    found = patchwork(picture, 6000)
    assert found.height * found.width <= 6000 * 1.5 + 16  # a piece has a whole pixel at least
    assert found.pixels[0, 0].tolist() == picture.pixels[0, 0].tolist()
    assert found.pixels[-1, -1].tolist() == picture.pixels[-1, -1].tolist()
    assert found.alpha is not None
    assert (found.alpha == found.pixels[..., 0]).all()


def test_a_small_picture_is_its_own_patchwork():
    picture = Picture(np.zeros((20, 30, 3), np.float32))
    assert patchwork(picture, 600).pixels.shape == (20, 30, 3)
