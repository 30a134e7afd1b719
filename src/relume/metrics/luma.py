"""The luma channel that published scores are measured on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def luma(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Y of BT.601, studio range, as MATLAB's ``rgb2ycbcr`` has it.

    Args:
        rgb: HWC in [0, 1].

    Returns:
        HW in [16, 235], not rounded.

    Source:
        ITU-R BT.601, section 2.5; the coefficients are 219 × (0.299, 0.587, 0.114).
    """
    return 16 + rgb.astype(np.float64) @ np.array([65.481, 128.553, 24.966])
