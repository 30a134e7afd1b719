"""Models in 8 bits: files whose convolutions run on integers, faster on processors made for it.

Static quantisation with one range per activation and one scale per output channel of a kernel, written by
ONNX Runtime as QDQ files, which OpenVINO runs as well. What is chosen here, and what it brought against
float32 results on photographs (compact-small-x4, srresnet-x4):

- Only what goes into convolutions is in 8 bits. What comes out is not rounded before the PReLU or the sum
  that follows, with which OpenVINO fuses it: 46.7 → 48.9 dB and 44.8 → 46.4 dB, at the same speed or faster.
- A range is not that of all values, but the one in which 256 levels err least: → 50.1 dB and 49.3 dB.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from relume.backends import open_backend
from relume.card import ModelCard
from relume.data.pictures import find_pictures
from relume.degrade.resize import imresize
from relume.errors import InputError, UsageError
from relume.export import read_scores
from relume.files import replacing
from relume.image import read_picture
from relume.zoo import CARD_KEY, read_card

NUM_CROPS = 48
CROP_PX = 96
"""Side of the inputs that are tried, in input pixels; cut down to a multiple of what the network takes."""

SMALLEST_PSNR = 35.0
"""A file whose results are further than this from those in float32, in dB, is refused."""

NUM_BINS = 1024
"""Of the histogram of an activation on one crop."""

SHARES = tuple(np.geomspace(1, 0.03, 16).tolist())
"""Of the smallest and of the largest value, what is tried as the end of a range."""

ENDING = "-int8"
"""What the name of a model in 8 bits ends in."""

Crop = NDArray[np.float32]
"""NHWC in [0, 1], one picture."""

Histogram = tuple[NDArray[np.int64], NDArray[np.float32]]
"""How many values are in each bin, and the edges of the bins, one more."""

Range = tuple[np.float32, np.float32]
"""The values that the lowest and the highest level stand for."""

Total = Callable[[NDArray[np.float64]], float]
"""What of the squared errors on several crops is to be small."""

TOTALS: tuple[Total, ...] = (lambda e: float(e.sum()), lambda e: float(np.log(e + 1e-12).sum()))
"""Both are tried: the sum, which rare large values rule, as the edges of a picture deserve; and the mean in
dB, for networks that overshoot wildly on one crop of many (SRResNet: by the first 37.9 dB, by this 50.5)."""


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
    crops = list(islice(calibration_crops(find_pictures([pictures]), card), NUM_CROPS))
    name = card.name + ENDING
    card = replace(
        card,
        name=name,
        precision="int8",
        calibration=f"{len(crops)} crops of pictures in {pictures.resolve().name}",
        scores=read_scores(scores, name) if scores else (),
    )
    with replacing(out) as temporary:
        psnr = _write_best(source, temporary, card, crops)
    return QuantisationReport(out, card, psnr)


def calibration_crops(files: Sequence[Path], card: ModelCard) -> Iterator[Crop]:
    """Endlessly, one from each picture at a time, as the network would get them."""
    side = CROP_PX // card.size_multiple * card.size_multiple * card.scale
    rng = np.random.default_rng(0)
    found = 0
    for index, path in enumerate(cycle(files)):
        if index == len(files) and not found:
            raise InputError("no picture is large enough", got=f"{index} pictures", allowed=f"≥ {side} px")
        pixels = read_picture(path).pixels
        if min(pixels.shape[:2]) < side:
            continue
        found += 1
        top, left = (int(rng.integers(length - side + 1)) for length in pixels.shape[:2])
        crop = pixels[top : top + side, left : left + side]
        lq = crop if card.scale == 1 else imresize(crop, scale=1 / card.scale).clip(0, 1)
        yield np.ascontiguousarray(np.round(lq * 255) / 255, np.float32)[None]


class _Calibration(CalibrationDataReader):
    def __init__(self, feeds: Sequence[dict[str, Any]]):
        self._feeds = iter(feeds)

    def get_next(self) -> dict[str, Any] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return next(self._feeds, None)


def _write_best(source: Path, out: Path, card: ModelCard, crops: Sequence[Crop]) -> float:
    """Write what comes nearest to the results in float32; the PSNR between them."""
    model = onnx.load(source)
    exact = _seeing_the_picture(model.graph)
    tensors = {n.input[0]: None for n in model.graph.node if n.op_type == "Conv" and n.name not in exact}
    feeds = [{model.graph.input[0].name: np.ascontiguousarray(crop.transpose(0, 3, 1, 2))} for crop in crops]
    histograms = _histograms(model, list(tensors), feeds)
    written: list[tuple[float, bytes]] = []
    for total in TOTALS:
        ranges = {name: _best_range(found, total) for name, found in histograms.items()}
        _write(source, out, card, feeds[:1], exact, ranges)
        written.append((_psnr(source, out, card, crops), out.read_bytes()))
    psnr, content = max(written)
    if not psnr >= SMALLEST_PSNR:
        raise InputError(
            f"{card.name} loses too much in 8 bits",
            got=f"{psnr:.1f} dB against float32",
            allowed=f"≥ {SMALLEST_PSNR:g} dB",
            hint="calibrate with pictures like those it was trained on, or leave the model in float32",
        )
    out.write_bytes(content)
    return psnr


def _write(
    source: Path,
    out: Path,
    card: ModelCard,
    feeds: Sequence[dict[str, Any]],
    exact: list[str],
    ranges: dict[str, Range],
) -> None:
    with _without_advice():
        quantize_static(
            source,
            out,
            _Calibration(feeds),  # something must be run; the ranges come from here
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=exact,
            extra_options={
                "OpTypesToExcludeOutputQuantization": ["Conv"],
                "TensorQuantOverrides": {n: [{"rmin": r[0], "rmax": r[1]}] for n, r in ranges.items()},
            },
        )
    model = onnx.load(out)
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, out)


def _histograms(
    model: onnx.ModelProto, tensors: Sequence[str], feeds: Sequence[dict[str, Any]]
) -> dict[str, list[Histogram]]:
    """How the values of some tensors are spread, one histogram a feed."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in tensors)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    histograms: dict[str, list[Histogram]] = {name: [] for name in tensors}
    for feed in feeds:
        for name, values in zip(tensors, session.run(tensors, feed), strict=True):
            histograms[name].append(np.histogram(np.asarray(values), NUM_BINS))
    return histograms


def _best_range(histograms: Sequence[Histogram], total: Total) -> Range:
    """The range in which 256 levels err least; values outside become its ends."""
    counts = np.stack([count for count, _ in histograms])
    edges = np.stack([edge for _, edge in histograms])
    centres = (edges[:, 1:] + edges[:, :-1]) / 2

    def error(part: tuple[float, float]) -> float:
        step = max((part[1] - part[0]) / 255, 1e-12)
        zero = round(-part[0] / step)
        levels = np.clip(np.round(centres / step) + zero, 0, 255)
        return total((counts * np.square((levels - zero) * step - centres)).sum(1))

    low, high = min(0.0, edges.min()), max(0.0, edges.max())  # convolutions pad with 0: it must be a level
    best = min(((low * below, high * above) for below in SHARES for above in SHARES), key=error)
    return np.float32(best[0]), np.float32(best[1])


def _seeing_the_picture(graph: onnx.GraphProto) -> list[str]:
    """Names of the convolutions with nothing but shifts, scalings and padding between them and the input."""
    constants = {tensor.name for tensor in graph.initializer}
    pictures = {graph.input[0].name}
    found: list[str] = []
    for node in graph.node:  # sorted: what a node takes comes before it
        if not pictures & {*node.input}:
            continue
        if node.op_type == "Conv":
            found.append(node.name)
        elif node.op_type in {"Sub", "Add", "Mul", "Div", "Pad"} and {*node.input} <= pictures | constants:
            pictures.update(node.output)
    return found


def _psnr(source: Path, out: Path, card: ModelCard, crops: Sequence[Crop]) -> float:
    exact, quantised = (open_backend(path, card, device="cpu") for path in (source, out))
    errors = [float(np.square(exact.run(crop) - quantised.run(crop)).mean()) for crop in crops[:8]]
    return -10 * float(np.log10(np.mean(errors) + 1e-12))


@contextmanager
def _without_advice() -> Generator[None]:
    """ONNX Runtime recommends a preparation that changes nothing about these networks."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
