"""The training crops that a recipe asks for."""

from typing import Any

from relume.data.crops import Crops
from relume.data.frames import DecodedFrames, find_frames
from relume.data.pairing import Averaged, Degraded, Given
from relume.data.pairs import DecodedPairs, find_pairs
from relume.data.pictures import DecodedPictures, find_pictures
from relume.train.degradations import FrameMeanOptions, GivenOptions
from relume.train.recipe import Recipe


def make_crops(recipe: Recipe) -> Crops[Any]:
    """Find and decode a recipe's data.

    Raises:
        InputError: if the data cannot be used.
    """
    options, sources, px = recipe.degradation, recipe.data.train, recipe.data.crop_px
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
