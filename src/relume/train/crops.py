"""The training crops that a recipe asks for."""

from relume.data.crops import AlignedCrops, CropPairs, FrameCrops
from relume.data.frames import DecodedFrames, find_frames
from relume.data.pairs import DecodedPairs, find_pairs
from relume.data.pictures import DecodedPictures, find_pictures
from relume.train.degradations import FrameMeanOptions, GivenOptions
from relume.train.recipe import Recipe

Crops = CropPairs | AlignedCrops | FrameCrops


def make_crops(recipe: Recipe) -> Crops:
    """Find and decode a recipe's data.

    Raises:
        InputError: if the data cannot be used.
    """
    options, sources, px = recipe.degradation, recipe.data.train, recipe.data.crop_px
    common = (px, recipe.seed, recipe.data.augment)
    if isinstance(options, GivenOptions):
        return AlignedCrops(DecodedPairs.decode(find_pairs(sources), smallest_px=px), *common)
    if isinstance(options, FrameMeanOptions):
        mean = options.build()
        frames = DecodedFrames.decode(find_frames(sources), reach=mean.largest_reach, smallest_px=px)
        return FrameCrops(frames, mean, *common)
    pictures = DecodedPictures.decode(find_pictures(sources), smallest_px=px)
    return CropPairs(pictures, options.build(recipe.scale), recipe.scale, *common)
