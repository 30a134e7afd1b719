"""Models × datasets × protocols: pictures go through the users' engine and are scored as files.

Before anything is reported, the bicubic rows are compared with known scores (:mod:`relume.evaluate.golden`).
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume import __version__
from relume.degrade.resize import imresize
from relume.errors import UsageError
from relume.evaluate.datasets import Dataset, open_dataset
from relume.evaluate.golden import KNOWN_DATASETS, check_bicubic
from relume.evaluate.measure import TIMING, measure
from relume.evaluate.report import Report, Result, Row
from relume.machine import num_threads
from relume.metrics.protocol import Protocol, find_protocol, to_uint8
from relume.model import Model, open_model
from relume.zoo import find_model

__all__ = ["Progress", "Report", "Result", "Row", "evaluate"]

Progress = Callable[[int, int, str], None]
"""Called after every picture with the number done, the number to do and what is being measured."""

_SCALE_WITHOUT_MODELS = 4


def evaluate(
    models: Sequence[str],
    datasets: Sequence[str | Path],
    protocols: Sequence[str] = ("matlab",),
    *,
    device: str = "auto",
    scale: int | None = None,
    num_shown: int = 20,
    progress: Progress | None = None,
) -> Report:
    """Score models on datasets by protocols; bicubic enlargement is always measured too.

    Sharp pictures are cropped to a multiple of the scale and shrunk by MATLAB's bicubic to 8 bits; in a
    folder with ``A`` and ``B`` the degraded pictures are given. At scale 1 the degraded pictures themselves
    take the place of the bicubic row, under the name ``input``.

    Args:
        models: names or files of models; none measures bicubic alone.
        datasets: folders, see :func:`relume.evaluate.datasets.open_dataset`.
        protocols: names in :data:`relume.metrics.protocol.PROTOCOLS`.
        device: where the models run.
        scale: target pixels per input pixel and side; by default the models' own, or 4 without models.
        num_shown: results kept for the page with pictures, per model and dataset.
        progress: called after every picture.

    Raises:
        UsageError: for an unknown model, protocol or device, or models of different scales and no ``scale``.
        InputError: for data that cannot be used, or if the bicubic rows are not what they should be.
    """
    if scale is not None and scale < 1:
        raise UsageError("cannot measure at this scale", got=scale, allowed="1 or more")
    rules = [find_protocol(name) for name in dict.fromkeys(protocols)]
    files = [find_model(name, scale) for name in models]
    scale = scale or _common_scale([file.card.scale for file in files])
    named = _labelled((file.card.name, file.path) for file in files)
    folders = _labelled((Path(folder).resolve().name, Path(folder)) for folder in datasets)
    sets = {label: open_dataset(folder, scale) for label, folder in folders.items()}
    tick = _ticking(progress, sum(map(len, sets.values())) * (1 + len(named)))
    run = partial(measure, protocols=rules, num_shown=num_shown, tick=tick)

    baseline = "bicubic" if scale > 1 else "input"
    results = [run(baseline, partial(_enlarge, scale=scale), *item) for item in sets.items()]
    described = {result.dataset: _describe(result, sets[result.dataset]) for result in results}
    engines: dict[str, dict[str, Any]] = {}
    for label, path in named.items():
        with open_model(str(path), device=device) as model:
            engines[label] = _engine(model)
            results += [run(label, partial(model, scale=scale), *item) for item in sets.items()]
    manifest = _manifest(scale, rules, described, engines)
    return Report(manifest, tuple(results), sets)


def _common_scale(scales: Sequence[int]) -> int:
    different = sorted(set(scales)) or [_SCALE_WITHOUT_MODELS]
    if len(different) > 1:
        raise UsageError("the models have different scales", got=different, hint="choose one with --scale")
    return different[0]


def _labelled(sources: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Paths by their short names, or in full where two would have the same; each once."""
    different = list(dict.fromkeys(sources))
    uses = Counter(short for short, _ in different)
    return {short if uses[short] == 1 else str(path): path for short, path in different}


def _ticking(progress: Progress | None, total: int) -> Callable[[str], None]:
    done = count(1)
    return lambda what: progress(next(done), total, what) if progress else None


def _enlarge(lq: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return lq if scale == 1 else to_uint8(imresize(lq / np.float32(255), scale=scale))


def _describe(bicubic: Result, dataset: Dataset) -> dict[str, Any]:
    """What the manifest says of a dataset, after its bicubic scores were found right or unknown."""
    return {
        "sha256": bicubic.fingerprint,
        "num_images": len(bicubic.names),
        "paired": dataset.paired,
        "known_as": KNOWN_DATASETS.get(bicubic.fingerprint),
        "checked_protocols": check_bicubic(bicubic, dataset.scale),
    }


def _engine(model: Model) -> dict[str, Any]:
    return {
        "backend": model.backend.name,
        "device": model.backend.device,
        "weights_sha256": model.card.weights_sha256,
    }


def _manifest(
    scale: int, protocols: Sequence[Protocol], datasets: Mapping[str, Any], models: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "relume": __version__,
        "scale": scale,
        "protocols": {protocol.name: asdict(protocol) for protocol in protocols},
        "datasets": datasets,
        "models": models,
        "timing": TIMING,
        "threads": num_threads(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
