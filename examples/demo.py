"""What `make demo` runs: a sample picture enlarged four times, beside what bicubic resizing makes of it."""

import sys
from pathlib import Path
from time import perf_counter

from PIL import Image

import relume

SAMPLE = Path(__file__).parent / "cat.png"
OUTPUT = Path("demo-output")


def main() -> None:
    """Write the results into demo-output/ and say where they are and how long it took."""
    OUTPUT.mkdir(exist_ok=True)
    small = Image.open(SAMPLE)

    start = perf_counter()
    relume.upscale(SAMPLE, OUTPUT / "cat-x4.png")
    seconds = perf_counter() - start

    sharp = Image.open(OUTPUT / "cat-x4.png")
    bicubic = small.resize(sharp.size, Image.Resampling.BICUBIC)
    bicubic.save(OUTPUT / "cat-bicubic.png")
    side_by_side(bicubic, sharp).save(OUTPUT / "comparison.png")

    print(f"{SAMPLE.name}: {small.width}×{small.height} -> {sharp.width}×{sharp.height} in {seconds:.1f} s")
    print(f"PyTorch was {'' if 'torch' in sys.modules else 'not '}needed")
    for name in ("cat-x4.png", "cat-bicubic.png", "comparison.png"):
        print(f"  {(OUTPUT / name).resolve()}")


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures of one size in one, a white line between them."""
    both = Image.new("RGB", (left.width + right.width + 8, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 8, 0))
    return both


if __name__ == "__main__":
    main()
