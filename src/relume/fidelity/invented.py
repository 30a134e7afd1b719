"""A map of where a result departs from what its input determines."""

from typing import Final

import numpy as np

from relume.fidelity.resampling import Pixels

BRIGHTEST: Final = 64
"""A departure of this many levels of 8 bits, or more, is white on the map; none is black."""


def departure(result: Pixels, determined: Pixels) -> Pixels:
    """Root mean square over the channels of what was added, as brightness.

    Args:
        result: HWC in [0, 1].
        determined: as large, the smoothest picture that gives the input back: the enlarged input after
            :func:`relume.fidelity.consistency.back_project`.

    Returns:
        HW in [0, 1], 1 where the two are :data:`BRIGHTEST` levels or more apart.
    """
    squares = np.square(result - determined).mean(axis=2)
    return np.clip(np.sqrt(squares) * np.float32(255 / BRIGHTEST), 0, 1)
