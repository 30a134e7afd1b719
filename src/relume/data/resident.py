"""Crops that are cut, shrunk and turned on the device that trains, from pictures that lie in its memory.

For GPUs that train faster than processors can prepare crops. The crops are those of
:class:`relume.data.crops.Crops` at the same positions; inputs differ by one level of 255 here and there
where a value lies just between two, as sums are rounded differently.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from relume.data.crops import Crops, draw_turn
from relume.data.pairing import Degraded
from relume.data.pictures import DecodedPictures
from relume.data.places import Places
from relume.degrade.bicubic import Downsample
from relume.degrade.resize import imresize
from relume.errors import OutOfMemory, UsageError


@dataclass
class DrawnPlaces(Dataset[Int[Tensor, "5"]]):
    """Where the crops are: picture, top, left, quarter turns, whether mirrored.

    Attributes:
        crops: whose draws are repeated.
    """

    crops: Crops[DecodedPictures]

    def __post_init__(self):
        self._places = Places(self.crops.pictures.shapes, self.crops.crop_px)

    def __getitem__(self, position: int) -> Int[Tensor, "5"]:
        """Item ``position``."""
        rng = np.random.default_rng((self.crops.seed, position))
        place, turn = self._places.draw(rng), draw_turn(rng, self.crops.augment)
        return torch.tensor([place.index, place.top, place.left, *turn])


class ResidentPictures:
    """All pictures of a data set in a device's memory, and the way from places to crops.

    Args:
        crops: the pictures, the size of crops, and how they are shrunk.
        device: where.

    Raises:
        UsageError: if crops are degraded otherwise than by :class:`relume.degrade.bicubic.Downsample`, their
            targets are sharpened, or the device has no double precision.
        OutOfMemory: if the pictures do not fit.
    """

    def __init__(self, crops: Crops[DecodedPictures], device: torch.device):
        degradation = _required(crops, device)
        self._scale, self._crop_px, self._margin = degradation.scale, crops.crop_px, degradation.margin_px
        self._shrink = _shrinking(degradation, crops.crop_px).to(device)
        pictures = crops.pictures
        self._shapes = torch.tensor(pictures.shapes).to(device)
        sizes = torch.tensor([height * width for height, width in pictures.shapes])
        self._starts = (sizes.cumsum(0) - sizes).to(device)
        try:
            self._pixels = torch.empty((int(sizes.sum()), 3), dtype=torch.uint8, device=device)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(
                "the training pictures do not fit into the device's memory", hint="runtime.on_device=false"
            ) from error
        for number, part in enumerate(self._pixels.split(sizes.tolist())):
            part.copy_(torch.from_numpy(np.array(pictures.pixels(number))).view(-1, 3))

    def cut(self, places: Int[Tensor, "n 5"]) -> tuple[UInt8[Tensor, "n 3 h w"], UInt8[Tensor, "n 3 sh sw"]]:
        """Inputs and targets at drawn places."""
        number, top, left, turns, mirrored = places.to(self._pixels.device, non_blocking=True).unbind(1)
        rows = self._window(top, self._shapes[number, 0])
        columns = self._window(left, self._shapes[number, 1])
        width = self._shapes[number, 1, None, None]
        index = self._starts[number, None, None] + rows[:, :, None] * width + columns[:, None]
        window = self._pixels[index].permute(0, 3, 1, 2)
        inside = slice(self._margin, self._margin + self._crop_px)
        lq = _rounded(_rounded(self._shrink @ (window.double() / 255)) @ self._shrink.T)
        return (
            _turned((lq * 255).round().to(torch.uint8), turns, mirrored),
            _turned(window[:, :, inside, inside], turns, mirrored),
        )

    def _window(self, offset: Int[Tensor, " n"], side: Int[Tensor, " n"]) -> Int[Tensor, "n w"]:
        """A crop's rows or columns with a margin, mirrored where there are no more whole input pixels."""
        low = offset - (offset // self._scale * self._scale).clamp(max=self._margin)
        room = (side - offset) // self._scale * self._scale
        size = offset + room.clamp(max=self._crop_px + self._margin) - low
        reach = torch.arange(-self._margin, self._crop_px + self._margin, device=offset.device)
        folded = (offset[:, None] + reach - low[:, None]) % (2 * size[:, None])
        return low[:, None] + torch.minimum(folded, 2 * size[:, None] - 1 - folded)


def _required(crops: Crops[DecodedPictures], device: torch.device) -> Downsample:
    if not isinstance(crops.pairing, Degraded) or not isinstance(crops.pairing.degradation, Downsample):
        raise UsageError("on the device crops can only be shrunk", allowed="degradation.kind=downsample")
    if crops.sharpen or device.type == "mps":
        raise UsageError("runtime.on_device does not go with data.sharpen, or with mps")
    return crops.pairing.degradation


def _shrinking(degradation: Downsample, crop_px: int) -> Float[Tensor, "small window"]:
    """The matrix that makes an input's rows of those of a crop with its margins."""
    window = crop_px + 2 * degradation.margin_px
    identity = np.eye(window)[:, :, None]
    matrix = imresize(identity, height=window // degradation.scale, kernel=degradation.kernel)[:, :, 0]
    first = degradation.margin_px // degradation.scale
    return torch.from_numpy(matrix[first : first + crop_px // degradation.scale].copy())


def _rounded(unit: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    return (unit.clamp(0, 1) * 255 + 0.5).floor() / 255


def _turned(
    pixels: UInt8[Tensor, "n 3 h w"], turns: Int[Tensor, " n"], mirrored: Int[Tensor, " n"]
) -> UInt8[Tensor, "n 3 h w"]:
    """Each picture turned and mirrored as drawn, without asking the device which ones they are."""
    one, two, mirror = (flag.bool()[:, None, None, None] for flag in (turns & 1, turns & 2, mirrored))
    pixels = torch.where(one, pixels.rot90(1, (2, 3)), pixels)
    pixels = torch.where(two, pixels.flip(2, 3), pixels)
    return torch.where(mirror, pixels.flip(3), pixels)
