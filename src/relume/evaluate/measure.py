"""One way of restoring pictures, over one dataset: scores and time."""

from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError
from relume.evaluate.datasets import Dataset, Pair, fingerprint
from relume.evaluate.report import Result
from relume.metrics.protocol import Protocol, score

Restore = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""The degraded picture -> the restored one, uint8 HWC RGB."""

TIMING = (
    "mean wall time from 8-bit input in memory to 8-bit result in memory, each picture size run once before; "
    "no loading, decoding or writing"
)


def measure(
    model: str,
    restore: Restore,
    name: str,
    dataset: Dataset,
    protocols: Iterable[Protocol],
    *,
    num_shown: int,
    tick: Callable[[str], None],
) -> Result:
    """Restore every picture of a dataset and score it.

    Args:
        model: what the result is called.
        restore: what is measured.
        name: what the dataset is called.
        dataset: the pictures.
        protocols: how to score.
        num_shown: how many restored pictures to keep, for the page with pictures.
        tick: called after every picture.

    Raises:
        InputError: if a picture cannot be read or is too small to be scored.
    """
    seconds = 0.0
    names: list[str] = []
    digests: list[str] = []
    shown: list[NDArray[np.uint8]] = []
    scores: dict[str, list[tuple[float, float]]] = {protocol.name: [] for protocol in protocols}
    warm: set[tuple[int, ...]] = set()
    for pair in dataset:
        _refuse_small(pair, dataset.scale, protocols)
        if pair.lq.shape not in warm:
            restore(pair.lq)
            warm.add(pair.lq.shape)
        start = perf_counter()
        sr = restore(pair.lq)
        seconds += perf_counter() - start
        for protocol in protocols:
            scores[protocol.name].append(score(sr, pair.hq, dataset.scale, protocol))
        names.append(pair.name)
        digests.append(pair.digest)
        shown += [sr] if len(shown) < num_shown else []
        tick(f"{model} on {name}")
    return Result(
        model=model,
        dataset=name,
        fingerprint=fingerprint(digests),
        names=tuple(names),
        scores={protocol: tuple(values) for protocol, values in scores.items()},
        ms_per_image=seconds / len(names) * 1000,
        pictures=tuple(shown),
    )


def _refuse_small(pair: Pair, scale: int, protocols: Iterable[Protocol]) -> None:
    smallest = max(protocol.smallest_px(scale) for protocol in protocols)
    height, width = pair.hq.shape[:2]
    if min(height, width) < smallest:
        raise InputError(
            f"picture {pair.name} is too small to be scored",
            got=f"{width}×{height}",
            allowed=f"at least {smallest}×{smallest}",
        )
