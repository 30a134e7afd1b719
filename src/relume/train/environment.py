"""What a run was made with: versions, machine, command, weights of others."""

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import relume
from relume.machine import processor_name
from relume.train import processes
from relume.train.crops import TrainingCrops
from relume.train.state import TrainState

VERSIONS_OF = ("torch", "numpy", "pillow", "onnx", "safetensors")


def environment(state: TrainState, crops: TrainingCrops) -> dict[str, Any]:
    """The content of ``environment.json``, as plain JSON types."""
    return {
        "relume": relume.__version__,
        "git": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in VERSIONS_OF},
        "machine": f"{platform.machine()} {platform.system()}",
        "device": _device(state.device),
        "processes": processes.count(),
        "command": sys.argv,
        **state.frozen,
        "num_pictures": crops.num_pictures,
        "skipped": crops.skipped,
    }


def _device(device: torch.device) -> str:
    """``NVIDIA H100``, or ``1 thread of AMD EPYC``: the hardware on the model's card."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return (
        f"{threads} thread{'s' * (threads > 1)} of {processor_name()}"
        if device.type == "cpu"
        else device.type
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of relume's own checkout, if it runs from one."""
    source = Path(relume.__file__).parent
    try:
        command = ["git", "-C", str(source), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
