"""What this machine can do: a look at everything that an installation may lack."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from time import perf_counter

from relume import __version__
from relume.machine import free_ram, num_threads, processor_name

RUNTIMES = ("openvino", "onnxruntime", "torch")

EXTRAS = {
    "train": "torch",
    "video": "av",
    "tensorboard": "tensorboard",
    "heic": "pi_heif",
}
"""Extra of the package -> a module that comes with it."""

SAMPLE_PX = 256
"""Side of the picture that the speed is measured on."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: what was looked at.
        text: what was found.
        fine: whether relume can work with that.
    """

    subject: str
    text: str
    fine: bool = True


def examine() -> Iterator[Finding]:
    """Look at one thing after the other; what fails is a finding too, never an exception."""
    for subject, look in LOOKS.items():
        try:
            yield Finding(subject, look())
        except Exception as error:
            yield Finding(subject, f"does not work: {error}", fine=False)


def _relume() -> str:
    return f"{__version__} in {Path(__file__).parent}"


def _system() -> str:
    return f"{platform.platform(terse=True)} {platform.machine()}, Python {platform.python_version()}"


def _processor() -> str:
    return f"{processor_name()}, {num_threads()} threads used"


def _memory() -> str:
    return f"{free_ram() / 2**30:.1f} GiB free for relume"


def _graphics() -> str:
    if not util.find_spec("torch"):
        return "not looked for: PyTorch is not installed"
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return "mps" if torch.backends.mps.is_available() else "none that PyTorch can use"


def _runtimes() -> str:
    return ", ".join(f"{name} {metadata.version(name)}" for name in RUNTIMES if util.find_spec(name))


def _models() -> str:
    from relume.zoo import list_models

    return ", ".join(model.card.name for model in list_models())


def _formats() -> str:
    from relume.image import HEIC_SUFFIXES, READABLE_SUFFIXES

    lacking = () if util.find_spec(EXTRAS["heic"]) else HEIC_SUFFIXES
    return " ".join(sorted({*READABLE_SUFFIXES} - {*lacking}))


def _extras() -> str:
    found = {name: bool(util.find_spec(module)) for name, module in EXTRAS.items()}
    here = ", ".join(name for name in EXTRAS if found[name]) or "none"
    missing = ",".join(name for name in EXTRAS if not found[name])
    return f"{here}; for the others: pip install 'relume[{missing}]'" if missing else here


def _speed() -> str:
    import numpy as np

    from relume.model import open_model

    sample = np.random.default_rng(0).random((SAMPLE_PX, SAMPLE_PX, 3), np.float32)
    with open_model() as model:
        model(sample)
        start = perf_counter()
        result = model(sample)
        seconds = perf_counter() - start
        speed = seconds / (result.shape[0] * result.shape[1] / 1e6)
        return f"{speed:.2f} s a megapixel of result, {model.card.name} by {model.backend.name}"


LOOKS: dict[str, Callable[[], str]] = {
    "relume": _relume,
    "system": _system,
    "processor": _processor,
    "memory": _memory,
    "graphics": _graphics,
    "runtimes": _runtimes,
    "models": _models,
    "pictures": _formats,
    "extras": _extras,
    "speed": _speed,
}
"""The ten lines of ``relume doctor``."""
