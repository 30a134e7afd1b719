"""Which training pictures are evaluation pictures too: by hash, and by thumbnail where they were changed."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

THUMBNAIL_PX = 24

ALIKE = 0.95
"""Correlation of thumbnails from which on two pictures count as one. Set5, Set14 and BSD100 made four times
smaller, cut by 1 % of a side or saved as JPEG of quality 30 have 0.958 and more with themselves; none of 546
other photographs has more than 0.937 with any of them."""


Named = tuple[str, NDArray[np.uint8]]
"""A picture's name and its pixels, HWC RGB."""


def find_overlaps(pictures: Iterable[Named], others: Iterable[Named]) -> dict[str, str]:
    """The pictures that are among others too, also turned by quarters, mirrored, resized or compressed again.

    Parts of pictures are not recognised.

    Args:
        pictures: one after the other.
        others: those they must not be among; at least one.

    Returns:
        Name of a picture -> which other one it is, and whether it has the same pixels or only looks like it.
    """
    names, looks = zip(*((name, _Look(pixels)) for name, pixels in others), strict=True)
    hashes = {look.digest: name for name, look in zip(names, looks, strict=True)}
    thumbnails = np.stack([look.thumbnail.ravel() for look in looks])
    found: dict[str, str] = {}
    for name, pixels in pictures:
        look = _Look(pixels)
        likeness = np.max([thumbnails @ turned.ravel() for turned in look.orientations()], axis=0)
        if look.digest in hashes:
            found[name] = f"the same pixels as {hashes[look.digest]}"
        elif likeness.max() > ALIKE:
            found[name] = f"looks like {names[int(likeness.argmax())]}"
    return found


class _Look:
    """What two pictures are compared by.

    Attributes:
        digest: hash of the pixels.
        thumbnail: grey, of mean 0 and norm 1; 0 for a picture of one colour.
    """

    def __init__(self, pixels: NDArray[np.uint8]):
        self.digest = hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()
        small = (
            Image.fromarray(pixels).convert("L").resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
        )
        values = np.asarray(small, np.float64)
        values = values - values.mean()
        self.thumbnail = values / max(float(np.linalg.norm(values)), 1.0)

    def orientations(self) -> list[NDArray[np.float64]]:
        """The thumbnail turned by quarters, and those mirrored."""
        turned = [np.rot90(self.thumbnail, turns) for turns in range(4)]
        return turned + [each[:, ::-1] for each in turned]
