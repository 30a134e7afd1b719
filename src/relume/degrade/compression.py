"""What saving as JPEG or WebP does to a picture."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID_PX = 16
"""Side of a block of JPEG with halved chroma, and of WebP."""


@dataclass(frozen=True)
class Compression:
    """Saved and opened again, at a random quality and with the blocks anywhere.

    Blocks begin at a random place, as in a picture that was cropped since it was taken: a network that always
    saw them at the same place in its crops would miss others.

    Attributes:
        quality: range of the quality of both formats.
        webp: chance of WebP; what remains is JPEG. Chroma has half the resolution in both.

    Source:
        X. Wang et al., "Real-ESRGAN", ICCVW 2021, sections 3.1.4 and 4.1 (JPEG only).
    """

    quality: tuple[int, int] = (30, 95)
    webp: float = 0.0

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC RGB in [0, 1] -> HWC in [0, 1] of the same size."""
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        options = {"format": "WEBP", "method": 0} if rng.random() < self.webp else {"format": "JPEG"}
        top, left = (int(offset) for offset in rng.integers(0, GRID_PX, 2))
        levels = np.floor(image.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        levels = np.pad(levels, ((top, 0), (left, 0), (0, 0)), mode="symmetric")
        saved = _saved(levels, quality=quality, **options)[top:, left:]
        return saved.astype(np.float32) / np.float32(255)


def _saved(levels: NDArray[np.uint8], **options: Any) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, **options)
    with Image.open(buffer) as picture:
        return np.asarray(picture)
