"""Motion blur as a slow shutter makes it: the mean of consecutive frames of a fast film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FrameMean:
    """The mean of an odd number of consecutive frames, whose target is the middle one.

    Attributes:
        num_frames: smallest and largest number, both odd; every odd number between is equally likely.
        gamma: frames are raised to this before and to 1/gamma after averaging. 2.2 averages light, which is
            what a sensor does; 1 averages the values of the files.

    Source:
        S. Nah et al., "Deep multi-scale convolutional neural network for dynamic scene deblurring", 2017,
        section 2: 7 to 13 frames at 240 frames a second. Their ``blur`` folders have gamma 1, their
        ``blur_gamma`` folders 2.2.
    """

    num_frames: tuple[int, int] = (7, 13)
    gamma: float = 1.0

    def __post_init__(self):
        least, most = self.num_frames
        assert least % 2 == most % 2 == 1 <= least <= most

    @property
    def largest_reach(self) -> int:
        """Frames needed before and after the middle one."""
        return self.num_frames[1] // 2

    def draw_reach(self, rng: np.random.Generator) -> int:
        """Frames to use before and after the middle one."""
        return int(rng.integers(self.num_frames[0] // 2, self.largest_reach + 1))

    def __call__(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Uint8 HWC frames of the same size -> their mean, HWC in [0, 1]."""
        light = (np.arange(256) / 255).astype(np.float32) ** np.float32(self.gamma)
        total = np.zeros(frames[0].shape, np.float32)
        for frame in frames:
            total += light.take(frame)
        return (total / np.float32(len(frames))) ** np.float32(1 / self.gamma)
