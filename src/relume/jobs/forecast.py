"""How long a batch will take, and how much memory and disk, before it is begun."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from math import prod
from time import perf_counter

import numpy as np

from relume.errors import InputError
from relume.image import LARGEST_WHOLE, SaveOptions
from relume.jobs.pipeline import READ_AHEAD
from relume.jobs.prospects import Prospect
from relume.jobs.sampling import Restore, Sample, Seconds, probe, take_sample
from relume.machine import free_ram, num_threads
from relume.model import Model

MOST_SAMPLES = 24
"""Pictures that samples are taken of."""

SAMPLING_S = 4.0
"""Seconds that all samples may take, about; the first one alone may take longer."""

LARGEST_SAMPLE, SMALLEST_SAMPLE = 1 << 17, 1 << 12
"""Pixels of a sample."""

LARGEST_SAMPLE_RESULT = 1 << 22
"""Pixels of the result of a sample, which counts where little becomes much."""

_RGB_BYTES = 12  # of a picture, for each pixel in float32
# Of encoders, for each pixel beside its levels, measured: by suffix, and for all others.
_ENCODER_BYTES, _OTHER_ENCODER_BYTES = {".webp": 11, ".avif": 42, ".gif": 14}, 4
_LEVELS_BYTES = 3  # of a result in whole levels, for each pixel
_ROWWISE = {".png", ".tif", ".tiff"}  # suffixes of formats that are written row by row


@dataclass(frozen=True)
class Forecast:
    """What a batch will take.

    Attributes:
        seconds: from the start of the process to its end, if other programs leave it as much as now.
        processor_seconds: of all threads together.
        memory_bytes: peak RSS of the process.
        disk_bytes: of all results.
    """

    seconds: float
    processor_seconds: float
    memory_bytes: int
    disk_bytes: int


def forecast(
    prospects: Sequence[Prospect],
    open_another: Callable[[], Model],
    restore: Restore,
    saving: SaveOptions,
    started_s: Seconds,
    max_pixels: int,
) -> Forecast:
    """Say what a batch will take, after restoring small parts of some of its pictures for a few seconds.

    Args:
        prospects: the pictures, at least one.
        open_another: gives an instance of the model.
        restore: how pictures are restored.
        saving: options of the formats of results.
        started_s: what it took to come so far, as the batch itself will.
        max_pixels: see :func:`relume.image.read_image`.

    Raises:
        InputError: if none of the pictures that were tried can be read.
    """
    windows = {window for prospect in prospects for window in prospect.workload.windows}
    largest_px = max(map(prod, windows))
    in_levels = all(prospect.workload.in_levels for prospect in prospects)
    probed = probe(open_another, largest_px, SAMPLING_S / 4, in_levels)
    samples = dict(_samples(prospects, restore, saving, probed.seconds, max_pixels))
    mean = Sample(*(np.mean(found, axis=0) for found in zip(*map(astuple, samples.values()), strict=True)))
    each = [(prospect, samples.get(prospect, mean)) for prospect in prospects]
    seconds, processor_seconds = started_s + _seconds(each)
    return Forecast(
        seconds=float(seconds),
        processor_seconds=float(processor_seconds),
        memory_bytes=round(probed.base_bytes + probed.bytes(windows)) + _picture_bytes(prospects),
        disk_bytes=round(sum(s.disk_bytes * p.out_px * p.num_frames for p, s in each)),
    )


def _samples(
    prospects: Sequence[Prospect], restore: Restore, saving: SaveOptions, network_s: float, max_pixels: int
) -> Iterator[tuple[Prospect, Sample]]:
    """Samples of pictures of all sizes, as many as there is time for."""
    by_size = sorted(prospects, key=lambda prospect: prospect.px)
    count = min(MOST_SAMPLES, len(by_size))
    chosen = [by_size[(2 * i + 1) * len(by_size) // (2 * count)] for i in range(count)]
    start, num_taken, damage = perf_counter(), 0, None
    for prospect in random.Random(0).sample(chosen, count):
        affordable = int(SAMPLING_S / count / (2 * network_s * prospect.workload.num_runs))
        try:
            yield prospect, take_sample(prospect, restore, saving, _within(affordable, prospect), max_pixels)
            num_taken += 1
        except InputError as error:
            damage = error
        if num_taken and perf_counter() - start > SAMPLING_S:
            return
    if damage and not num_taken:
        raise damage


def _within(px: int, prospect: Prospect) -> int:
    largest = max(1, LARGEST_SAMPLE_RESULT * prospect.px // prospect.out_px)
    return min(LARGEST_SAMPLE, max(SMALLEST_SAMPLE, px), largest)


def _seconds(each: Sequence[tuple[Prospect, Sample]]) -> Seconds:
    """What is read and written while the network runs takes the time of whatever core is free."""
    zero = np.zeros(2)
    restored = sum((s.restore_s * p.restored_px * p.num_frames for p, s in each), zero)
    once = {p.size: s.first_s * p.workload.window_px for p, s in each}
    aside = sum(((s.read_s * p.px + s.write_s * p.out_px) * p.num_frames for p, s in each), zero)
    meanwhile = len(each) > 1 or each[0][0].workload.num_parts > 1
    return restored + sum(once.values(), zero) + aside / ((num_threads() if meanwhile else 1), 1)


def _picture_bytes(prospects: Sequence[Prospect]) -> int:
    """Of the hungriest picture, with those that are read and written meanwhile."""
    alone = max(_read(p) + p.workload.part_bytes + _written(p) for p in prospects)
    if len(prospects) == 1:
        return alone
    read = READ_AHEAD * max(map(_read, prospects))
    whole = (p for p in prospects if p.workload.num_parts == 1)
    written = max((_written(p) + _result_bytes(p) for p in whole), default=0)
    return alone + min(read + written, free_ram() // 2)


def _read(prospect: Prospect) -> int:
    """Of the picture, or of the part of it that is looked at."""
    return _RGB_BYTES * min(prospect.px, LARGEST_WHOLE)


def _result_bytes(prospect: Prospect) -> int:
    return _LEVELS_BYTES * prospect.out_px


def _written(prospect: Prospect) -> int:
    """Of the encoder; a part's, if rows are written."""
    suffix, num_parts = prospect.job.target.suffix.lower(), prospect.workload.num_parts
    px = prospect.out_px * prospect.num_frames
    per_px = _ENCODER_BYTES.get(suffix, _OTHER_ENCODER_BYTES)
    handed_over = _result_bytes(prospect) // num_parts if num_parts > 1 else 0
    return per_px * px // (num_parts if suffix in _ROWWISE else 1) + handed_over
