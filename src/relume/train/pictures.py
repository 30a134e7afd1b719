"""Pictures of a run: sheets that show input, bicubic, result and target, and an animation of one of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from relume.files import replacing
from relume.train.validation import Sample, bicubic

CELL_PX = 240
CAPTION_PX = 100
MOST_ROWS = 4
MOST_FRAMES = 60
GAP_PX = 4


def sheet(samples: Sequence[Sample], step: int) -> Image.Image:
    """One row a sample: input, bicubic, result, target, cut to their middle; captions above each."""
    rows = [_row(sample) for sample in samples[:MOST_ROWS]]
    width = max(row.width for row in rows)
    picture = Image.new("RGB", (width, sum(row.height for row in rows)), (32, 32, 32))
    top = 0
    for row in rows:
        picture.paste(row, (0, top))
        top += row.height
    ImageDraw.Draw(picture).text((GAP_PX, 2), f"step {step}", fill="white")
    return picture


def _row(sample: Sample) -> Image.Image:
    height, width = sample.hq.shape[:2]
    lq = Image.fromarray(_bytes(sample.lq)).resize((width, height), Image.Resampling.NEAREST)
    cells = {
        "input": lq,
        "bicubic": Image.fromarray(_bytes(bicubic(sample))),
        f"result {sample.psnr:.2f} dB": Image.fromarray(_bytes(sample.sr)),
        "target": Image.fromarray(_bytes(sample.hq)),
    }
    side_y, side_x = min(height, CELL_PX), min(width, CELL_PX)
    box = ((width - side_x) // 2, (height - side_y) // 2)
    column_px = max(side_x, CAPTION_PX) + GAP_PX
    row = Image.new("RGB", (4 * column_px, side_y + 32), (32, 32, 32))
    draw = ImageDraw.Draw(row)
    for column, (caption, cell) in enumerate(cells.items()):
        left = column * column_px
        row.paste(cell.crop((*box, box[0] + side_x, box[1] + side_y)), (left, 28))
        draw.text((left + GAP_PX, 15), caption, fill="white")
    return row


def animate(frames: Sequence[Path], target: Path) -> None:
    """Join frame pictures to one endless WebP animation; of many frames, evenly spaced ones are shown."""
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int))]
    pictures = [_loaded(path) for path in chosen]
    pictures = [picture for picture in pictures if picture.size == pictures[-1].size]  # another one before
    durations = [200] * (len(pictures) - 1) + [1500]
    with replacing(target) as temporary:
        pictures[0].save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=durations,
            loop=0,
            quality=90,
        )


def _loaded(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def frame(sample: Sample, step: int) -> Image.Image:
    """The result of one sample, cut to its middle, with the step written below."""
    height, width = sample.sr.shape[:2]
    side_y, side_x = min(height, CELL_PX), min(width, CELL_PX)
    top, left = (height - side_y) // 2, (width - side_x) // 2
    picture = Image.new("RGB", (side_x, side_y + 16), (32, 32, 32))
    picture.paste(Image.fromarray(_bytes(sample.sr[top : top + side_y, left : left + side_x])))
    ImageDraw.Draw(picture).text((GAP_PX, side_y + 2), f"step {step}  {sample.psnr:.2f} dB", fill="white")
    return picture


def _bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.floor(pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8)
