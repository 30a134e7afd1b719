"""What runs the networks. Nothing here is imported before it is needed: PyTorch takes seconds to start."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from relume.backends.base import Backend, Depth
from relume.card import ModelCard
from relume.errors import InputError, UsageError
from relume.machine import has_vnni, num_threads

DEVICES = ("auto", "cpu", "cuda", "mps", "openvino", "onnxruntime", "torch")
"""What ``device`` may be: any, a kind of processor, or one runtime."""

__all__ = ["DEVICES", "Backend", "Depth", "open_backend", "prefers_int8"]


def open_backend(
    weights: Path, card: ModelCard, *, device: str = "auto", threads: int | None = None
) -> Backend:
    """Load a model where it runs fastest.

    ======================  ============================  ==============================
    device                  ``.onnx``                     ``.safetensors`` (PyTorch)
    ======================  ============================  ==============================
    auto                    as cuda, or else as cpu       cuda, mps or cpu: the first here
    cpu                     OpenVINO, or ONNX Runtime     cpu
    cuda                    ONNX Runtime                  cuda
    mps                     –                             mps
    openvino, onnxruntime   that runtime on the CPU       –
    torch                   –                             as auto
    ======================  ============================  ==============================

    Args:
        weights: the model file.
        card: its card.
        device: one of :data:`DEVICES`.
        threads: processor threads; by default what affinity and CPU quota allow.

    Raises:
        UsageError: if the device is unknown, absent, or cannot run this kind of file.
        InputError: if the file is damaged.
    """
    if device not in DEVICES:
        raise UsageError("unknown device", got=device, allowed=DEVICES)
    if weights.suffix == ".safetensors":
        return _open_torch(weights, card, device, threads or num_threads())
    if weights.suffix == ".onnx":
        return _open_onnx(weights, device, threads or num_threads())
    raise InputError(f"{weights} is no model file", allowed=(".onnx", ".safetensors"))


def prefers_int8(device: str = "auto") -> bool:
    """Whether models in 8 bits are faster than in float32 on what :func:`open_backend` would choose.

    They are by OpenVINO on processors with 8-bit arithmetic; ONNX Runtime was slower with them there.
    """
    if device == "auto" and _has_nvidia() and _onnxruntime_has_cuda():
        return False
    return device in {"auto", "cpu", "openvino"} and find_spec("openvino") is not None and has_vnni()


def _open_onnx(weights: Path, device: str, threads: int) -> Backend:
    if device in {"mps", "torch"}:
        raise UsageError(
            f"{device} cannot run {weights.name}",
            allowed=("auto", "cpu", "cuda", "openvino", "onnxruntime"),
            hint="give the model as .safetensors",
        )
    if device in {"auto", "cuda"} and _has_nvidia() and _onnxruntime_has_cuda():
        return _open_onnxruntime(weights, "cuda:0", threads)
    if device == "cuda":
        raise UsageError(
            "there is no NVIDIA GPU that ONNX Runtime could use",
            allowed=("auto", "cpu"),
            hint="install onnxruntime-gpu, or PyTorch and give the model as .safetensors",
        )
    if device == "openvino" or (device != "onnxruntime" and find_spec("openvino")):
        return _open_openvino(weights, threads)
    return _open_onnxruntime(weights, "cpu", threads)


def _open_openvino(weights: Path, threads: int) -> Backend:
    if not find_spec("openvino"):
        raise UsageError("OpenVINO is not installed", hint="pip install openvino, or use -g onnxruntime")
    from relume.backends.openvino import OpenVINOBackend

    return OpenVINOBackend(weights, threads)


def _open_onnxruntime(weights: Path, device: str, threads: int) -> Backend:
    from relume.backends.onnxruntime import ONNXRuntimeBackend

    return ONNXRuntimeBackend(weights, device, threads)


def _open_torch(weights: Path, card: ModelCard, device: str, threads: int) -> Backend:
    if device in {"openvino", "onnxruntime"}:
        raise UsageError(
            f"{device} cannot run {weights.name}",
            allowed=("auto", "cpu", "cuda", "mps", "torch"),
            hint="give the model as .onnx",
        )
    if not find_spec("torch"):
        raise UsageError(
            f"{weights.name} needs PyTorch",
            hint="pip install 'relume[train]', or give the model as .onnx",
        )
    from relume.backends import torch as backend

    found = backend.devices()
    place = found[0] if device in {"auto", "torch"} else device
    if place not in found:
        raise UsageError(f"PyTorch finds no {place} device here", allowed=("auto", *found))
    return backend.load(weights, card, place, threads)


def _onnxruntime_has_cuda() -> bool:
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def _has_nvidia() -> bool:
    """Whether the system has an NVIDIA driver, told in microseconds."""
    if sys.platform == "win32":
        return shutil.which("nvidia-smi") is not None
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
