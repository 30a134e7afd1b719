"""LPIPS with the weights that a user supplies; relume brings none."""

import hashlib
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError, UsageError
from relume.evaluate.vgg19 import as_batch

ENVIRONMENT = "RELUME_LPIPS"
"""Environment variable with the folder of the weights."""

FILES = {"alex": ("alexnet-owt-7be5be79.pth", "alex.pth"), "vgg": ("vgg16-397923af.pth", "vgg.pth")}
"""Backbone -> torchvision's file, whose name ends in the beginning of its SHA-256, and the linear layers of
LPIPS 0.1. The first of which both are there is used."""


class PerceptualDistance:
    """LPIPS of two pictures, see :class:`relume.archs.lpips.LPIPS`.

    Raises:
        UsageError: if PyTorch is missing.
        InputError: if there are no weights, or they are not those that LPIPS needs.
    """

    def __init__(self):
        try:
            from relume.archs.lpips import LPIPS, SMALLEST_PX
        except ModuleNotFoundError as error:
            raise UsageError(
                "the measure lpips needs relume[train]",
                got=f"no module {error.name}",
                hint="pip install 'relume[train]'",
            ) from error
        folder = os.environ.get(ENVIRONMENT)
        backbone = _found(folder)
        features, linear = (Path(folder or "", file) for file in FILES[backbone])
        _refuse_damaged(features)
        self._network = LPIPS(backbone)
        self._smallest_px = SMALLEST_PX[backbone]
        state = {name: value for name, value in _read(features).items() if name.startswith("features.")}
        try:
            self._network.load_state_dict(state | _read(linear))
        except (RuntimeError, TypeError) as error:
            raise InputError(
                f"{features} and {linear} are not the weights of LPIPS 0.1",
                got=" ".join(str(error).split())[:200],
            ) from error
        self.note = f"LPIPS 0.1, {backbone}, weights {features.name} and {linear.name}; RGB, whole picture"

    def __call__(self, sr: NDArray[np.uint8], hq: NDArray[np.uint8]) -> float:
        """Zero for equal pictures; lower is better. Both are uint8 HWC RGB of one size."""
        if min(hq.shape[:2]) < self._smallest_px:
            return float("nan")
        import torch

        with torch.inference_mode():
            return self._network(as_batch(sr), as_batch(hq)).item()


def _found(folder: str | None) -> Any:
    """The first backbone of which both files are in the folder."""
    for backbone, names in FILES.items():
        if folder and all(Path(folder, name).is_file() for name in names):
            return backbone
    raise InputError(
        "no weights of LPIPS, which relume does not bring",
        got=f"{ENVIRONMENT}={folder}" if folder else f"{ENVIRONMENT} is not set",
        allowed=[" with ".join(names) for names in FILES.values()],
        hint="put torchvision's file and that of github.com/richzhang/PerceptualSimilarity "
        f"(lpips/weights/v0.1) into one folder and set {ENVIRONMENT} to it",
    )


def _refuse_damaged(features: Path) -> None:
    with features.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if not digest.startswith(features.stem.rpartition("-")[2]):
        raise InputError(f"{features} is damaged", got=f"SHA-256 {digest}", hint="get it again")


def _read(file: Path) -> dict[str, Any]:
    import torch

    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise InputError(f"cannot read {file}", got=" ".join(str(error).split())[:200]) from error
