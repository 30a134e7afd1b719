"""One way of restoring pictures, over one dataset: scores and time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from relume.errors import InputError
from relume.evaluate.datasets import Dataset, Pair, fingerprint
from relume.evaluate.measures import Measure, Restored
from relume.evaluate.report import Result
from relume.metrics.protocol import Protocol, score

Restore = Callable[[Pair], NDArray[np.uint8]]
"""A pair, of whose degraded picture the restored one is made, uint8 HWC RGB."""

TIMING = (
    "mean wall time from 8-bit input in memory to 8-bit result in memory, each picture size run once before; "
    "no loading, decoding or writing"
)


def measure(
    model: str,
    restore: Restore,
    name: str,
    dataset: Dataset,
    protocols: Sequence[Protocol],
    measures: Sequence[Measure],
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
        measures: what else to score.
        num_shown: how many restored pictures to keep, for the page with pictures.
        tick: called after every picture.

    Raises:
        InputError: if a picture cannot be read or is too small to be scored.
    """
    seconds = 0.0
    names: list[str] = []
    digests: list[str] = []
    sizes: set[tuple[int, int]] = set()
    shown: list[NDArray[np.uint8]] = []
    scores: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    values: list[Mapping[str, float]] = []
    warm: set[tuple[int, ...]] = set()
    for pair in dataset:
        _refuse_small(pair, dataset.scale, protocols)
        if pair.lq.shape not in warm:
            restore(pair)
            warm.add(pair.lq.shape)
        start = perf_counter()
        sr = restore(pair)
        seconds += perf_counter() - start
        for protocol in protocols:
            psnr, ssim = score(sr, pair.hq, dataset.scale, protocol)
            scores[protocol.name].append({"psnr": psnr, "ssim": ssim})
        values.append(_judge(measures, Restored(sr, pair.hq, pair.lq, dataset.scale)))
        names.append(pair.name)
        digests.append(pair.digest)
        sizes.add((pair.hq.shape[1], pair.hq.shape[0]))
        shown += [sr] if len(shown) < num_shown else []
        tick(f"{model} on {name}")
    return Result(
        model=model,
        dataset=name,
        fingerprint=fingerprint(digests),
        names=tuple(names),
        sizes=tuple(sorted(sizes)),
        scores={protocol: tuple(found) for protocol, found in scores.items()},
        values=tuple(values),
        ms_per_image=seconds / len(names) * 1000,
        pictures=tuple(shown),
    )


def _judge(measures: Iterable[Measure], restored: Restored) -> dict[str, float]:
    return {
        column.key: float(value)
        for measure in measures
        for column, value in zip(measure.columns, measure.values(restored), strict=True)
    }


def _refuse_small(pair: Pair, scale: int, protocols: Iterable[Protocol]) -> None:
    smallest = max((protocol.smallest_px(scale) for protocol in protocols), default=1)
    height, width = pair.hq.shape[:2]
    if min(height, width) < smallest:
        raise InputError(
            f"picture {pair.name} is too small to be scored",
            got=f"{width}×{height}",
            allowed=f"at least {smallest}×{smallest}",
        )
