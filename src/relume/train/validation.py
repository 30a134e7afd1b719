"""Validation while training, through the engine that users run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relume.archs import Network
from relume.backends.torch import TorchBackend
from relume.card import ModelCard
from relume.data.pairing import Degradation, Degraded
from relume.data.pairs import find_pairs
from relume.data.pictures import DecodedPictures, find_pictures
from relume.degrade.resize import imresize
from relume.engine.restore import restore
from relume.image import read_picture
from relume.metrics.checkerboard import checkerboard, period_of
from relume.metrics.protocol import PROTOCOLS, score
from relume.train.crops import TrainingCrops
from relume.train.recipe import Recipe

SMALLEST_PX = 32
"""Smaller pictures leave nothing to score inside the border that protocols cut off."""

LARGEST_PX = 480
"""Validation pictures are cut to this side, so that a validation takes seconds."""

MONITOR_SEED = 20_000_000
"""Added to the recipe's seed for the monitor crops, which no training step draws in the same order."""


@dataclass(frozen=True)
class Sample:
    """A validation picture with what the network made of it; all HWC in [0, 1].

    Attributes:
        name: file name, or the number of a monitor crop.
        lq: the input.
        hq: the target.
        sr: the result.
        psnr: in dB, by the recipe's validation protocol.
        ssim: by the same protocol.
        checkerboard: in the result beyond the target's, in levels; NaN for very small pictures. See
            :func:`relume.metrics.checkerboard.checkerboard`.
    """

    name: str
    lq: NDArray[np.float32]
    hq: NDArray[np.float32]
    sr: NDArray[np.float32]
    psnr: float
    ssim: float
    checkerboard: float = 0.0


Pair = tuple[str, NDArray[np.float32], NDArray[np.float32]]
"""Name, input and target; HWC in [0, 1]."""


class Validation:
    """A fixed set of pictures and the way they are scored.

    With ``validation.pictures`` these are whole pictures (cut to 480 px), degraded as in training, or pairs
    in ``A`` and ``B`` where inputs are given or means of frames. Without, they are crops of the training
    data, which watch over the run's health but measure nothing held out.
    """

    def __init__(self, recipe: Recipe, crops: TrainingCrops):
        self._recipe = recipe
        sources, most = recipe.validation.pictures, recipe.validation.most
        if not sources:
            self._pairs = _monitor(crops, most)
        elif isinstance(crops.pairing, Degraded):
            decoded = DecodedPictures.decode(find_pictures(sources)[:most], smallest_px=SMALLEST_PX)
            self._pairs = _degraded(decoded, crops.pairing.degradation, recipe.scale)
        else:
            self._pairs = [(a.name, _read(a), _read(b)) for a, b in find_pairs(sources)[:most]]

    def run(self, network: Network, card: ModelCard) -> list[Sample]:
        """Restore every picture and score it."""
        protocol = PROTOCOLS[self._recipe.validation.protocol]
        backend = TorchBackend(network.deployed(), str(next(network.parameters()).device))
        samples: list[Sample] = []
        for name, lq, hq in self._pairs:
            sr = restore(backend, card, lq)
            psnr, ssim = score(sr, hq, card.scale, protocol)
            samples.append(Sample(name, lq, hq, sr, psnr, ssim, _added_checkerboard(sr, hq, card.scale)))
        return samples


def _added_checkerboard(sr: NDArray[np.float32], hq: NDArray[np.float32], scale: int) -> float:
    found, original = (checkerboard(picture, period_of(scale)) for picture in (sr, hq))
    return float(np.sqrt(np.maximum(0, found**2 - original**2)))


def _read(path: Path) -> NDArray[np.float32]:
    return read_picture(path).pixels[:LARGEST_PX, :LARGEST_PX]


def _degraded(pictures: DecodedPictures, degradation: Degradation, scale: int) -> list[Pair]:
    pairs: list[Pair] = []
    for number in range(len(pictures.shapes)):
        pixels = pictures.pixels(number)[:LARGEST_PX, :LARGEST_PX].astype(np.float32) / np.float32(255)
        height, width = (side // scale * scale for side in pixels.shape[:2])
        hq = pixels[:height, :width]
        pairs.append((str(number), degradation(hq, np.random.default_rng(number)), hq))
    return pairs


def _monitor(crops: TrainingCrops, most: int) -> list[Pair]:
    still = crops.still(crops.seed + MONITOR_SEED)
    pairs: list[Pair] = []
    for position in range(most):
        lq, hq = (
            tensor.numpy().transpose(1, 2, 0).astype(np.float32) / np.float32(255)
            for tensor in still[position]
        )
        pairs.append((str(position), lq, hq))
    return pairs


def mean_scores(samples: list[Sample]) -> dict[str, float]:
    """Mean PSNR in dB, SSIM and added checkerboard in levels over the samples."""
    return {
        "psnr": float(np.mean([sample.psnr for sample in samples])),
        "ssim": float(np.mean([sample.ssim for sample in samples])),
        "checkerboard": float(np.mean([sample.checkerboard for sample in samples])),
    }


def bicubic(sample: Sample) -> NDArray[np.float32]:
    """The input enlarged as without a network."""
    height, width = sample.hq.shape[:2]
    return imresize(sample.lq, height=height, width=width).clip(0, 1)
