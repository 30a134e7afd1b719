"""Models × datasets × protocols: pictures go through the users' engine and are scored as files.

Before anything is reported, the bicubic rows are compared with known scores (:mod:`relume.evaluate.golden`).
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume import __version__
from relume.degrade.resize import imresize
from relume.errors import UsageError
from relume.evaluate.columns import Column
from relume.evaluate.datasets import Dataset, Pair, open_dataset
from relume.evaluate.golden import KNOWN_DATASETS, check_bicubic
from relume.evaluate.measure import TIMING, measure
from relume.evaluate.measures import DEFAULT, PROTOCOL_COLUMNS, Measure, open_measures
from relume.evaluate.report import ORIGINAL, Report, Result, Row
from relume.machine import num_threads
from relume.metrics.niqe import SHIPPED
from relume.metrics.protocol import Protocol, find_protocol, to_uint8
from relume.model import Model, open_model
from relume.zoo import find_model, list_models

__all__ = [
    "Progress",
    "Report",
    "Result",
    "Row",
    "common_scale",
    "default_protocols",
    "evaluate",
    "shipped_models",
]

Progress = Callable[[int, int, str], None]
"""Called after every picture with the number done, the number to do and what is being measured."""

SCALE_WITHOUT_MODELS = 4
"""What bicubic alone is measured at when nothing is asked."""


def evaluate(
    models: Sequence[str],
    datasets: Sequence[str | Path],
    protocols: Sequence[str] = (),
    measures: Sequence[str] = DEFAULT,
    *,
    device: str = "auto",
    scale: int | None = None,
    size: tuple[int, int] | None = None,
    niqe_parameters: Path = SHIPPED,
    num_shown: int = 20,
    progress: Progress | None = None,
) -> Report:
    """Score models on datasets by protocols; bicubic enlargement is always measured too.

    Sharp pictures are cropped to a multiple of the scale and shrunk by MATLAB's bicubic to 8 bits; in a
    folder with ``A`` and ``B`` the degraded pictures are given. At scale 1 the degraded pictures themselves
    take the place of the bicubic row, under the name ``input``. Where a measure needs no target, the targets
    get a row of their own, ``original``.

    Args:
        models: names or files of models; none measures bicubic alone.
        datasets: folders, see :func:`relume.evaluate.datasets.open_dataset`.
        protocols: names in :data:`relume.metrics.protocol.PROTOCOLS`; by default ``matlab``, and ``rgb`` at
            scale 1.
        measures: names in :data:`relume.evaluate.measures.NAMES`, the columns that tables show.
        device: where the models run.
        scale: target pixels per input pixel and side; by default the models' own, or 4 without models.
        size: width and height to which pairs are reduced at scale 1.
        niqe_parameters: of the measure ``niqe``, from ``relume data fit-niqe``.
        num_shown: results kept for the page with pictures, per model and dataset.
        progress: called after every picture.

    Raises:
        UsageError: for an unknown model, protocol, measure or device, models of different scales and no
            ``scale``, or a ``size`` at another scale than 1.
        InputError: for data that cannot be used, or if the bicubic rows are not what they should be.
    """
    scale = common_scale(models, scale)
    files = [find_model(name, scale) for name in models]
    rules = [find_protocol(name) for name in dict.fromkeys(protocols or default_protocols(scale))]
    opened = open_measures(measures, scale, niqe_parameters)
    blind = [measure for measure in opened if measure.blind]
    named = labelled((file.card.name, name, file.path) for name, file in zip(models, files, strict=True))
    folders = labelled((Path(folder).resolve().name, str(folder), Path(folder)) for folder in datasets)
    sets = {label: open_dataset(folder, scale, size) for label, folder in folders.items()}
    tick = ticking(progress, sum(map(len, sets.values())) * (1 + len(named) + bool(blind)))
    run = partial(measure, protocols=rules, measures=opened, num_shown=num_shown, tick=tick)

    results: list[Result] = []
    if blind:
        judge = partial(measure, ORIGINAL, _target, protocols=[], measures=blind, num_shown=0, tick=tick)
        results = [replace(judge(*item), ms_per_image=None) for item in sets.items()]
    baseline = "bicubic" if scale > 1 else "input"
    baselines = [run(baseline, partial(_enlarge, scale=scale), *item) for item in sets.items()]
    described = {result.dataset: _describe(result, sets[result.dataset]) for result in baselines}
    results += baselines
    engines: dict[str, dict[str, Any]] = {}
    for label, path in named.items():
        with open_model(str(path), device=device) as model:
            engines[label] = describe_engine(model)
            results += [run(label, partial(_restore, model, scale), *item) for item in sets.items()]
    columns = _columns(measures, opened)
    manifest = _manifest(scale, baseline, rules, columns, described, engines)
    return Report(manifest, columns, tuple(results), sets)


def common_scale(models: Sequence[str], scale: int | None) -> int:
    """The scale to measure at: what is asked for, or the models' own, or 4 without models.

    Raises:
        UsageError: if a model is unknown, they differ and nothing is asked for, or the scale is below 1.
    """
    if scale is None:
        scales = sorted({find_model(name).card.scale for name in models}) or [SCALE_WITHOUT_MODELS]
        if len(scales) > 1:
            raise UsageError("the models have different scales", got=scales, hint="choose one with --scale")
        return scales[0]
    if scale < 1:
        raise UsageError("cannot measure at this scale", got=scale, allowed="1 or more")
    return scale


def shipped_models(scale: int) -> list[str]:
    """The names of the models that come with relume for a scale.

    Raises:
        UsageError: if there is none.
    """
    found = [model.card.name for model in list_models() if model.card.scale == scale]
    if not found:
        raise UsageError(
            "no model that comes with relume has this scale",
            got=scale,
            allowed=sorted({model.card.scale for model in list_models()}),
        )
    return found


def default_protocols(scale: int) -> tuple[str, ...]:
    """As papers on enlarging score, or at scale 1 as papers on deblurring."""
    return ("matlab",) if scale > 1 else ("rgb",)


def _columns(names: Sequence[str], opened: Sequence[Measure]) -> tuple[Column, ...]:
    """What tables show, in the order of :data:`relume.evaluate.measures.NAMES`."""
    by_protocol = [column for key, column in PROTOCOL_COLUMNS.items() if key in names]
    return (*by_protocol, *(column for measure in opened for column in measure.columns))


def labelled(sources: Iterable[tuple[str, str, Path]]) -> dict[str, Path]:
    """Paths by their short names, or as they were given where two would have the same; each once.

    Args:
        sources: short name, name as it was given, and path.
    """
    different = {path: (short, given) for short, given, path in sources}
    uses = Counter(short for short, _ in different.values())
    return {short if uses[short] == 1 else given: path for path, (short, given) in different.items()}


def ticking(progress: Progress | None, total: int) -> Callable[[str], None]:
    """What is called after every picture with what is being measured."""
    done = count(1)
    return lambda what: progress(next(done), total, what) if progress else None


def _target(pair: Pair) -> NDArray[np.uint8]:
    return pair.hq


def _enlarge(pair: Pair, scale: int) -> NDArray[np.uint8]:
    return pair.lq if scale == 1 else to_uint8(imresize(pair.lq / np.float32(255), scale=scale))


def _restore(model: Model, scale: int, pair: Pair) -> NDArray[np.uint8]:
    return model(pair.lq, scale=scale)


def _describe(bicubic: Result, dataset: Dataset) -> dict[str, Any]:
    """What the manifest says of a dataset, after its bicubic scores were found right or unknown."""
    return {
        "sha256": bicubic.fingerprint,
        "num_images": len(bicubic.names),
        "paired": dataset.paired,
        "reduced": dataset.size is not None,
        "sizes": bicubic.sizes,
        "known_as": KNOWN_DATASETS.get(bicubic.fingerprint),
        "checked_protocols": check_bicubic(bicubic, dataset.scale),
    }


def describe_engine(model: Model) -> dict[str, Any]:
    """What the manifest says of a model."""
    return {
        "backend": model.backend.name,
        "device": model.backend.device,
        "weights_sha256": model.card.weights_sha256,
    }


def _manifest(
    scale: int,
    baseline: str,
    protocols: Sequence[Protocol],
    columns: Sequence[Column],
    datasets: Mapping[str, Any],
    models: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "relume": __version__,
        "scale": scale,
        "baseline": baseline,
        "protocols": {protocol.name: asdict(protocol) for protocol in protocols},
        "columns": {column.key: asdict(column) for column in columns},
        "datasets": datasets,
        "models": models,
        "timing": TIMING,
        **describe_machine(),
    }


def describe_machine() -> dict[str, Any]:
    """What the manifest says of where it was measured."""
    return {
        "threads": num_threads(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
