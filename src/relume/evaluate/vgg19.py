"""Distance of two pictures in the features of VGG19, loaded only when it is asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.errors import UsageError

TAP = "relu5_4"
"""Where SRGAN's perceptual loss and most after it look: what there is, rather than where exactly."""

SMALLEST_PX = 16
"""Sides that leave a feature after four halvings."""


class FeatureDistance:
    """Mean squared difference of VGG19's features, divided by their mean square on photographs.

    It is no LPIPS: nothing in it was fitted to what people see. With another set of VGG19 weights the number
    is another one; the note says which was used.

    Source: J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
    ECCV 2016, eq. 2.

    Raises:
        UsageError: if PyTorch is missing.
        InputError: if there are no weights, see :func:`relume.losses.vgg_weights.load_vgg19`.
    """

    def __init__(self):
        try:
            from relume.losses.perceptual import PerceptualLoss
            from relume.losses.vgg_weights import load_vgg19
        except ModuleNotFoundError as error:
            raise UsageError(
                "the measure vgg19 needs relume[train]",
                got=f"no module {error.name}",
                hint="pip install 'relume[train]'",
            ) from error
        weights = load_vgg19()
        self._loss = PerceptualLoss(weights, {TAP: 1.0})
        self.note = (
            f"mean squared difference of VGG19's {TAP}, divided by its mean square on photographs; RGB, "
            f"whole picture, weights {weights.source.name}; no LPIPS"
        )

    def __call__(self, sr: NDArray[np.uint8], hq: NDArray[np.uint8]) -> float:
        """Zero for equal pictures; lower is better. Both are uint8 HWC RGB of one size."""
        if min(hq.shape[:2]) < SMALLEST_PX:
            return float("nan")
        import torch

        with torch.inference_mode():
            return self._loss(as_batch(sr), as_batch(hq)).item()


def as_batch(picture: NDArray[np.uint8]) -> Any:
    """HWC uint8 -> 1 × 3 × h × w in [0, 1], as networks take it."""
    import torch

    return torch.from_numpy(picture.astype(np.float32).transpose(2, 0, 1)[None] / 255)
