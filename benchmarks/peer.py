"""One way to run a network, in a process of its own: what ``benchmarks/peers.py`` starts.

    python benchmarks/peer.py NAME FOLDER THREADS

Every line on standard input is one run; each is answered with a line of JSON. A peer takes and gives what a
script has in its hands between reading a file and writing another: uint8 HWC. Its function is what such a
script would hold, with the settings that its runtime's manual recommends. At the end it restores the picture
once more in float32, for the differences, and leaves that in ``FOLDER/NAME.npy``.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
Run = Callable[[Picture], Picture]
"""float32 HWC in [0, 1] -> the same; relume's takes and gives uint8 as well."""


def torch_eager(folder: Path, threads: int) -> Run:
    """PyTorch as most scripts use it: NCHW, the network as it was trained."""
    import torch
    from peers import trained

    torch.set_num_threads(threads)
    network, _ = trained(folder / "model.safetensors")

    def run(lq: Picture) -> Picture:
        with torch.no_grad():
            sr = network(torch.from_numpy(lq).permute(2, 0, 1)[None].contiguous())
        return sr[0].clamp(0, 1).permute(1, 2, 0).numpy()

    return run


def torch_channels_last(folder: Path, threads: int) -> Run:
    """PyTorch as its performance guide has it."""
    import torch
    from peers import trained

    torch.set_num_threads(threads)
    network = trained(folder / "model.safetensors")[0].to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(lq: Picture) -> Picture:
        sr = network(torch.from_numpy(lq).permute(2, 0, 1)[None])  # channels_last without a copy
        return sr[0].clamp(0, 1).permute(1, 2, 0).numpy()

    return run


def _onnxruntime(path: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(lq: Picture) -> Picture:
        (sr,) = session.run(None, {"lq": np.ascontiguousarray(lq.transpose(2, 0, 1))[None]})
        return np.asarray(sr)[0].clip(0, 1).transpose(1, 2, 0)

    return run


def _openvino(path: Path, threads: int) -> Run:
    import openvino

    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = openvino.Core().compile_model(path, "CPU", options)

    def run(lq: Picture) -> Picture:
        sr = model(np.ascontiguousarray(lq.transpose(2, 0, 1))[None])[0]
        return sr[0].clip(0, 1).transpose(1, 2, 0)

    return run


def _relume(path: Path, threads: int) -> Run:
    from relume.backends import open_backend
    from relume.model import Model
    from relume.zoo import read_card

    card = read_card(path)
    return Model(card, open_backend(path, card, device="cpu", threads=threads))


def ncnn(folder: Path, threads: int) -> Run:
    """The runtime of many graphical upscalers, on the processor; without its 16-bit storage."""
    import ncnn as runtime

    net = runtime.Net()
    net.opt.num_threads = threads
    net.load_param(str(folder / "plain.ncnn.param"))
    net.load_model(str(folder / "plain.ncnn.bin"))

    def run(lq: Picture) -> Picture:
        extractor = net.create_extractor()
        planes = np.ascontiguousarray(lq.transpose(2, 0, 1))  # which must outlive the run
        extractor.input("in0", runtime.Mat(planes))
        _, sr = extractor.extract("out0")
        return np.array(sr).clip(0, 1).transpose(1, 2, 0)

    return run


def opencv(folder: Path, threads: int) -> Run:
    """OpenCV's ``dnn``, which its ``dnn_superres`` calls as well."""
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(str(folder / "plain.onnx"))

    def run(lq: Picture) -> Picture:
        net.setInput(np.ascontiguousarray(lq.transpose(2, 0, 1))[None])
        return np.array(net.forward()[0]).clip(0, 1).transpose(1, 2, 0)

    return run


PEERS: dict[str, Callable[[Path, int], Run]] = {
    "PyTorch eager": torch_eager,
    "PyTorch channels_last": torch_channels_last,
    "ONNX Runtime": lambda folder, threads: _onnxruntime(folder / "plain.onnx", threads),
    "OpenVINO": lambda folder, threads: _openvino(folder / "plain.onnx", threads),
    "ncnn": ncnn,
    "OpenCV dnn": opencv,
    "relume": lambda folder, threads: _relume(folder / "relume.onnx", threads),
    "ONNX Runtime, int8": lambda folder, threads: _onnxruntime(folder / "plain-int8.onnx", threads),
    "OpenVINO, int8": lambda folder, threads: _openvino(folder / "plain-int8.xml", threads),
    "relume, int8": lambda folder, threads: _relume(folder / "relume-int8.onnx", threads),
}
"""Name in the table -> what opens it; the first is what the others are compared with."""


def by_script(run: Run) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """What scripts do around a network that works on float32."""
    return lambda levels: np.rint(run(np.float32(levels) / 255) * 255).astype(np.uint8)


def peak_rss_mb() -> float:
    """The most memory that this program held; ``ru_maxrss`` would count what its parent had before."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0]) / 1e6


def main(name: str, folder: Path, threads: int) -> None:
    """Answer runs until standard input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # some runtimes print
    lq = np.load(folder / "lq.npy")
    run = PEERS[name](folder, threads)
    on_levels = run if name.startswith("relume") else by_script(run)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        on_levels(lq)
        answer: dict[str, Any] = {
            "wall_s": time.perf_counter() - wall,
            "processor_s": time.process_time() - processor,
            "rss_mb": peak_rss_mb(),
        }
        print(json.dumps(answer), file=answers, flush=True)
    np.save(folder / f"{name}.npy", run(np.float32(lq) / 255))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
