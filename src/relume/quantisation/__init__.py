"""Models in 8 bits: files whose convolutions run on integers, faster on processors made for it.

Static quantisation without training, written as QDQ files, which OpenVINO and ONNX Runtime run. What makes
it exact, in the order of what it brought: calibration on strong edges too (:mod:`.crops`); kernels fitted to
inputs in 8 bits, and levels with a step for each channel (:mod:`.rounding`); results of convolutions that are
not rounded before the PReLU or the sum that follows, with which OpenVINO fuses them (:mod:`.graph`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from relume.backends import open_backend
from relume.card import ModelCard
from relume.data.pictures import find_pictures
from relume.errors import InputError, UsageError
from relume.export import read_scores
from relume.files import replacing
from relume.quantisation.crops import Crop, calibration_crops
from relume.quantisation.graph import round_network
from relume.quantisation.selection import choose_layers
from relume.zoo import CARD_KEY, read_card

__all__ = ["QuantisationReport", "calibration_crops", "quantise"]

NUM_CROPS = 48

NUM_TRIED = 4
"""Of the crops, on which layers are tried."""

AIM = 46.0
"""How near results are to be to those in float32 on these crops, in dB; layers stay in float32 until then.
It costs a model that is 30 dB from the truth 0.1 dB, and less where there are fewer strong edges."""

SMALLEST_PSNR = 35.0
"""A file whose results are further than this from those in float32, in dB, is refused."""

ENDING = "-int8"
"""What the name of a model in 8 bits ends in."""


@dataclass(frozen=True)
class QuantisationReport:
    """What was written.

    Attributes:
        path: the model file.
        card: the card in it.
        psnr: of its results against those in float32, over the calibration crops, in dB.
    """

    path: Path
    card: ModelCard
    psnr: float


def quantise(source: Path, out: Path, pictures: Path, *, scores: Path | None = None) -> QuantisationReport:
    """Write a model in 8 bits.

    The convolutions that see the picture itself stay in float32: they are cheap, and their input needs all
    of its levels. The sum with the enlarged input and the pixel shuffle are exact as well.

    Args:
        source: an ``.onnx`` of ``relume export``.
        out: another ``.onnx``.
        pictures: folder of training pictures, from which the ranges of the activations are taken: sharp ones,
            which are shrunk, or at scale 1 pictures such as the network is meant for.
        scores: result of ``relume eval --json`` for the new file; the source's scores are not its own.

    Raises:
        UsageError: if a file is no ``.onnx``, or the model is in 8 bits already.
        InputError: if there are no usable pictures, or too much is lost.
        OutputError: if ``out`` cannot be written.
    """
    for path in (source, out):
        if path.suffix != ".onnx":
            raise UsageError("8 bits need ONNX", got=path.name, allowed="a file that ends in .onnx")
    card = read_card(source)
    if card.precision == "int8":
        raise UsageError(f"{source} is in 8 bits already", hint="give the model in float32")
    crops = calibration_crops(find_pictures([pictures]), card, NUM_CROPS)
    name = card.name + ENDING
    card = replace(
        card,
        name=name,
        precision="int8",
        calibration=f"{len(crops)} crops of pictures in {pictures.resolve().name}",
        scores=read_scores(scores, name) if scores else (),
    )
    with replacing(out) as temporary:
        psnr = _write(source, temporary, card, crops)
    return QuantisationReport(out, card, psnr)


def _write(source: Path, out: Path, card: ModelCard, crops: Sequence[Crop]) -> float:
    """Write the file; the PSNR of its results against those in float32."""
    planes = [np.ascontiguousarray(crop.transpose(0, 3, 1, 2)) for crop in crops]
    network = round_network(onnx.load(source), planes)
    model = network.with_layers(choose_layers(network, planes[:: len(planes) // NUM_TRIED or 1], AIM))
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, out)
    psnr = _psnr(source, out, card, crops)
    if not psnr >= SMALLEST_PSNR:
        raise InputError(
            f"{card.name} loses too much in 8 bits",
            got=f"{psnr:.1f} dB against float32",
            allowed=f"≥ {SMALLEST_PSNR:g} dB",
            hint="calibrate with pictures like those it was trained on, or leave the model in float32",
        )
    return psnr


def _psnr(source: Path, out: Path, card: ModelCard, crops: Sequence[Crop]) -> float:
    exact, quantised = (open_backend(path, card, device="cpu") for path in (source, out))
    errors = [
        float(np.square(exact.run(crop) - quantised.run(crop)).mean())
        for crop in crops[:: len(crops) // 8 or 1]
    ]
    return -10 * float(np.log10(np.mean(errors) + 1e-12))
