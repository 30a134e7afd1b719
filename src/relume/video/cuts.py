"""Where one scene ends and the next begins."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCKS: Final = 16
_LARGEST_CHANGE: Final = 0.10


class CutDetector:
    """Tells cuts by the mean luma of 16 × 16 blocks: within a shot few of them change at once.

    A block counts with its absolute change, less the change of the whole picture's mean, so that a flash, a
    fade or the flicker of old film is no cut.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def is_cut(self, luma: NDArray[Any], white: float) -> bool:
        """Whether this frame begins a scene.

        Args:
            luma: the plane of brightness, HW.
            white: its largest level.
        """
        blocks = _means(luma) / np.float32(white)
        before, self._before = self._before, blocks
        if before is None or before.shape != blocks.shape:
            return False
        change = blocks - before
        return bool(np.abs(change - change.mean()).mean() > _LARGEST_CHANGE)


def _means(luma: NDArray[Any]) -> NDArray[np.float32]:
    rows, columns = (max(1, side // _BLOCKS) for side in luma.shape)
    cut = luma[: luma.shape[0] // rows * rows, : luma.shape[1] // columns * columns]
    blocks = cut.reshape(cut.shape[0] // rows, rows, cut.shape[1] // columns, columns)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
