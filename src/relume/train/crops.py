"""The training crops that a recipe asks for."""

from collections.abc import Iterator
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


def make_crops(recipe: Recipe) -> TrainingCrops:
    """Find and decode a recipe's data.

    Raises:
        InputError: if the data cannot be used; of a part of ``also``, it names the part.
    """
    crops = _crops_of(recipe, recipe.degradation, recipe.data.train)
    if not recipe.also:
        return crops
    parts = [crops, *(_part(recipe, name) for name in recipe.also)]
    shares = [more.share for more in recipe.also.values()]
    return Mixture(tuple(parts), (1 - sum(shares), *shares), recipe.seed)


def _part(recipe: Recipe, name: str) -> Crops[Any]:
    more = recipe.also[name]
    try:
        return _crops_of(recipe, more.degradation, more.train)
    except InputError as error:
        raise InputError(
            f"also.{name}: {error.what}",
            got=error.got,
            allowed=error.allowed,
            hint=f"also.{name}.train=[FOLDER] says where it lies, also={{}} trains without",
        ) from error


def _crops_of(recipe: Recipe, options: Degradation, sources: tuple[str, ...]) -> Crops[Any]:
    px = recipe.data.crop_px
    sharpen = recipe.data.sharpen.build() if recipe.data.sharpen else None
    common = (px, recipe.seed, recipe.data.augment, sharpen)
    if isinstance(options, GivenOptions):
        return Crops(DecodedPairs.decode(find_pairs(sources), smallest_px=px), Given(), *common)
    if isinstance(options, FrameMeanOptions):
        mean = options.build()
        frames = DecodedFrames.decode(find_frames(sources), reach=mean.largest_reach, smallest_px=px)
        return Crops(frames, Averaged(mean), *common)
    pictures = DecodedPictures.decode(find_pictures(sources), smallest_px=px)
    return Crops(pictures, Degraded(options.build(recipe.scale), recipe.scale), *common)


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
