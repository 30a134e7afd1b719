"""The same network in 8 bits: by relume, and by the tools that the runtimes' manuals name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from relume.data.pictures import find_pictures
from relume.quantisation import calibration_crops, quantise
from relume.zoo import read_card

NUM_CROPS = 8
"""For the tools other than relume's, of which only the speed is looked at."""


def write_quantised(folder: Path, pictures: Path) -> dict[str, Callable[[], object]]:
    """What writes ``relume-int8.onnx``, ``plain-int8.onnx`` and ``plain-int8.xml`` into the folder."""
    return {
        "relume, int8": lambda: quantise(folder / "relume.onnx", folder / "relume-int8.onnx", pictures),
        "ONNX Runtime, int8": lambda: write_onnxruntime(folder, pictures),
        "OpenVINO, int8": lambda: write_nncf(folder, pictures),
    }


def write_onnxruntime(folder: Path, pictures: Path) -> None:
    """ONNX Runtime's static quantisation, with one scale per channel of a kernel."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    feeds = iter([{"lq": lq} for lq in planes(folder, pictures)])

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(feeds, None)

    quantize_static(folder / "plain.onnx", folder / "plain-int8.onnx", Reader(), per_channel=True)


def write_nncf(folder: Path, pictures: Path) -> None:
    """NNCF's post-training quantisation, which OpenVINO's manual recommends."""
    import nncf
    import openvino

    model = openvino.Core().read_model(folder / "plain.onnx")
    quantised = nncf.quantize(model, nncf.Dataset(planes(folder, pictures)), subset_size=NUM_CROPS)
    openvino.save_model(quantised, folder / "plain-int8.xml")


def planes(folder: Path, pictures: Path) -> list[np.ndarray]:
    """Inputs of ``relume export --int8``, in NCHW, mirrored or cut to the size that was exported."""
    side = len(np.load(folder / "lq.npy"))
    crops = calibration_crops(find_pictures([pictures]), read_card(folder / "relume.onnx"), NUM_CROPS)
    fitted = (np.pad(crop[0], ((0, side), (0, side), (0, 0)), "symmetric") for crop in crops)
    return [lq[None, :side, :side].transpose(0, 3, 1, 2).copy() for lq in fitted]
