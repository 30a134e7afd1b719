"""The training crops that a recipe asks for."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from relume.data.crops import Crops, Positions, make_batches
from relume.data.frames import DecodedFrames, find_frames
from relume.data.mixture import Mixture
from relume.data.pairing import Averaged, Degraded, Given
from relume.data.pairs import DecodedPairs, find_pairs
from relume.data.pictures import DecodedPictures, find_pictures
from relume.data.resident import DrawnPlaces, ResidentPictures
from relume.errors import InputError, UsageError
from relume.train import processes
from relume.train.degradations import Degradation, FrameMeanOptions, GivenOptions
from relume.train.recipe import Recipe

TrainingCrops = Crops[Any] | Mixture


def find_data(recipe: Recipe) -> Callable[[], TrainingCrops]:
    """Find all of a recipe's data; returns what decodes it, which takes its time.

    Raises:
        InputError: if the data cannot be used, which may show in decoding only; it names a part of ``also``.
    """
    decoders = [_find(recipe, recipe.degradation, recipe.data.train)]
    for name, more in recipe.also.items():
        with _part(name):
            decoders.append(_find(recipe, more.degradation, more.train))

    def decode_all() -> TrainingCrops:
        parts = [decoders[0]()]
        for name, decode in zip(recipe.also, decoders[1:], strict=True):
            with _part(name):
                parts.append(decode())
        shares = [more.share for more in recipe.also.values()]
        return Mixture(tuple(parts), (1 - sum(shares), *shares), recipe.seed) if shares else parts[0]

    return decode_all


@contextmanager
def _part(name: str) -> Generator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(
            f"also.{name}: {error.what}",
            got=error.got,
            allowed=error.allowed,
            hint=f"also.{name}.train=[FOLDER] says where it lies, also={{}} trains without",
        ) from error


def _find(recipe: Recipe, options: Degradation, sources: tuple[str, ...]) -> Callable[[], Crops[Any]]:
    """Find the data of one part; returns what decodes it."""
    px = recipe.data.crop_px
    sharpen = recipe.data.sharpen.build() if recipe.data.sharpen else None
    common = (px, recipe.seed, recipe.data.augment, sharpen)
    if isinstance(options, GivenOptions):
        pairs = find_pairs(sources)
        return lambda: Crops(DecodedPairs.decode(pairs, smallest_px=px), Given(), *common)
    if isinstance(options, FrameMeanOptions):
        mean, frames = options.build(), find_frames(sources)
        reach = mean.largest_reach
        return lambda: Crops(
            DecodedFrames.decode(frames, reach=reach, smallest_px=px), Averaged(mean), *common
        )
    pairing, pictures = Degraded(options.build(recipe.scale), recipe.scale), find_pictures(sources)
    return lambda: Crops(DecodedPictures.decode(pictures, smallest_px=px), pairing, *common)


def make_batches_of(
    crops: TrainingCrops, recipe: Recipe, start: int, device: torch.device
) -> Iterator[tuple[UInt8[Tensor, "n 3 h w"], UInt8[Tensor, "n 3 sh sw"]]]:
    """This process's share of the batches of inputs and targets from step ``start`` on.

    Raises:
        UsageError: if the recipe wants crops made on the device, and they cannot be.
        OutOfMemory: if the pictures do not fit there.
    """
    positions = Positions(start, recipe.steps, recipe.batch_size, processes.rank(), processes.count())
    num_workers = recipe.runtime.num_workers
    if not recipe.runtime.on_device:
        return make_batches(crops, positions, num_workers=num_workers)
    if isinstance(crops, Mixture):
        raise UsageError("runtime.on_device takes one data set, not a mixture", hint="also={}")
    resident = ResidentPictures(crops, device)
    return map(resident.cut, make_batches(DrawnPlaces(crops), positions, num_workers=num_workers))
