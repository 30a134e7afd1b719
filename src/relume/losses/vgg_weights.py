"""The weights of VGG19: which there are, where they are found, what input they expect. Nothing is downloaded.

Two sets are known, and told apart by the SHA-256 of their files, so that a model card can say which was used:

- ``torchvision``: ``vgg19-dcbb9e9d.pth``, the file behind torchvision's ``VGG19_Weights.IMAGENET1K_V1``;
- ``caffe``: ``vgg19_features_q8.npz``, the authors' original weights, the deep layers as 8-bit integers.

They are different networks: the activations of the second are up to hundreds of times larger. See
:mod:`relume.losses.vgg_activations` for what makes losses comparable.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from relume.archs.srresnet import IMAGENET_MEAN, IMAGENET_STD
from relume.archs.vgg import CONVOLUTIONS, VGG19Features
from relume.errors import InputError, OutputError
from relume.files import replacing

ENVIRONMENT = "RELUME_VGG19"
"""Environment variable with the path of the weights, a file or its folder."""


@dataclass(frozen=True)
class Source:
    """A published set of weights.

    Attributes:
        name: what cards and logs call it.
        file: name of the published file.
        sha256: of that file.
        mean: subtracted from RGB in [0, 1] before the first convolution.
        std: what the difference is divided by.
        read: the file -> parameters under torchvision's names, the first convolution for RGB.
    """

    name: str
    file: str
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    read: Callable[[Path], dict[str, Tensor]]

    def __str__(self) -> str:
        """Name and hash, for checkpoints and cards."""
        return f"{self.name}, {self.file}, SHA-256 {self.sha256}"

    @property
    def copy(self) -> str:
        """Name of the converted copy in relume's cache."""
        return f"vgg19-{self.name}-{self.sha256[:16]}.safetensors"


@dataclass(frozen=True, eq=False)
class VGG19Weights:
    """VGG19 with a known set of weights.

    Attributes:
        source: which set.
        network: takes RGB in [0, 1]; frozen, and shared by all losses made with it.
    """

    source: Source
    network: VGG19Features


def load_vgg19(path: str | Path | None = None) -> VGG19Weights:
    """Load VGG19 from a file, or from where such files are found.

    Without a path, the environment variable ``RELUME_VGG19`` gives one; without that, relume's cache is
    searched, then the folder in which torchvision keeps what it downloads. A file that is read for the first
    time leaves a converted copy in the cache, under its SHA-256.

    Args:
        path: one of the known files, or a folder with one.

    Raises:
        InputError: if there is no file, it cannot be read, or it is none of the known ones.
    """
    file = _found(path or os.environ.get(ENVIRONMENT))
    source = _copied(file) or _identified(file)
    copy = file if file.name == source.copy else cache_folder() / source.copy
    if copy.is_file():
        return _weights(source, _read_copy(copy))
    state = source.read(file)
    _keep(state, copy)
    return _weights(source, state)


def cache_folder() -> Path:
    """Where converted copies are kept and files may be put: ``$XDG_CACHE_HOME/relume/vgg19``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "relume" / "vgg19"


def _found(path: str | Path | None) -> Path:
    places = _default_places() if path is None else [Path(path).expanduser()]
    names = [name for source in SOURCES for name in (source.copy, source.file)]
    candidates = [file for place in places for file in (place, *(place / name for name in names))]
    file = next((file for file in candidates if file.is_file()), None)
    if file is None:
        raise InputError(
            "no weights of VGG19, which perceptual losses need",
            got=f"none of the known files in {' or '.join(map(str, places))}",
            allowed=[source.file for source in SOURCES],
            hint=f"get {TORCHVISION.file} from torchvision (VGG19_Weights.IMAGENET1K_V1), "
            f"put it into {cache_folder()} or set {ENVIRONMENT} to its path",
        )
    return file


def _default_places() -> list[Path]:
    return [cache_folder(), Path(torch.hub.get_dir()) / "checkpoints"]


def _copied(file: Path) -> Source | None:
    return next((source for source in SOURCES if file.name == source.copy), None)


def _identified(file: Path) -> Source:
    try:
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {file}", got=error.strerror) from error
    source = next((source for source in SOURCES if source.sha256 == digest), None)
    if source is None:
        raise InputError(
            f"{file} is no known set of VGG19 weights, or is damaged",
            got=f"a file with SHA-256 {digest}",
            allowed=[f"{source.file} ({source.sha256})" for source in SOURCES],
        )
    return source


def _weights(source: Source, state: dict[str, Tensor]) -> VGG19Weights:
    network = VGG19Features(source.mean, source.std, device="meta")
    network.load_state_dict(state, assign=True)
    return VGG19Weights(source, network)


def _read_copy(copy: Path) -> dict[str, Tensor]:
    try:
        return load_file(copy)
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read {copy}", got=error, hint="delete it, it will be made again") from error


def _keep(state: dict[str, Tensor], copy: Path) -> None:
    """Save a copy; without room or permission for it, the file is converted again next time."""
    with suppress(OSError, OutputError):
        copy.parent.mkdir(parents=True, exist_ok=True)
        with replacing(copy) as temporary:
            save_file(state, temporary)


def _read_torchvision(file: Path) -> dict[str, Tensor]:
    """Read the .pth, a file of 2017 in the format before zip, which cannot be memory-mapped."""
    state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value.detach() for name, value in state.items() if name.startswith("features.")}


def _read_caffe(file: Path) -> dict[str, Tensor]:
    """Read the .npz: kernels HWIO for BGR, deep ones as uint8 with scale and minimum."""
    state: dict[str, Tensor] = {}
    with np.load(file) as arrays:
        for name, index in CONVOLUTIONS.items():
            layer = "block{}_conv{}".format(*name.split("_"))
            kernel = f"{layer}.kernel"
            if kernel in arrays:
                weight = arrays[kernel].astype(np.float32)
            else:
                scale, minimum = arrays[f"{kernel}.scale_min"]
                weight = arrays[f"{kernel}.u8"] * scale + minimum
            weight = weight[:, :, ::-1] if name == "1_1" else weight
            state[f"features.{index}.weight"] = torch.from_numpy(weight.transpose(3, 2, 0, 1).copy())
            state[f"features.{index}.bias"] = torch.from_numpy(arrays[f"{layer}.bias"])
    return state


TORCHVISION = Source(
    name="torchvision",
    file="vgg19-dcbb9e9d.pth",
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    read=_read_torchvision,
)

CAFFE = Source(
    name="caffe",
    file="vgg19_features_q8.npz",
    sha256="27f1c968b98cd09dc0465d2d987925f9e56806da216156680f2469cd1f064c8f",
    mean=(123.68 / 255, 116.779 / 255, 103.939 / 255),
    std=(1 / 255, 1 / 255, 1 / 255),
    read=_read_caffe,
)

SOURCES = (TORCHVISION, CAFFE)
"""The known sets, in the order in which they are looked for."""
