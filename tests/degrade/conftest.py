import numpy as np
import pytest


@pytest.fixture
def waves() -> np.ndarray:
    """A smooth colour picture, 128×96, with slopes everywhere."""
    y, x = np.mgrid[:128, :96] + 0.5
    picture = [np.sin(y / 9 + p) * np.cos(x / 7 - 2 * p) for p in range(3)]
    return (0.5 + 0.4 * np.stack(picture, axis=-1)).astype(np.float32)
