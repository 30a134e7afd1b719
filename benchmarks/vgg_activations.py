"""Print how large the features of VGG19 are on photographs and on dead leaves.

With the original weights this prints the table in ``src/relume/losses/vgg_activations.py``::

    RELUME_VGG19=vgg19_features_q8.npz python benchmarks/vgg_activations.py bsds500/

With others, it prints what the estimates from dead leaves can be checked against.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from relume.archs.vgg import TAPS
from relume.losses.vgg_activations import dead_leaves, measure
from relume.losses.vgg_weights import load_vgg19

SIDE_PX = 224


def main(folder: str) -> None:
    """Measure on the central squares of all JPEG files of a folder."""
    weights = load_vgg19()
    measured = [measure(weights, central_square(file)) for file in sorted(Path(folder).glob("*.jpg"))]
    leaves = measure(weights, dead_leaves())
    print(f"{weights.source.name}: tap, root mean square on {len(measured)} photographs, on dead leaves")
    for tap in TAPS:
        photographs = np.mean([sizes[tap] ** 2 for sizes in measured]) ** 0.5
        print(f'"{tap}": ({photographs:.4g}, {leaves[tap]:.4g}),')


def central_square(file: Path) -> torch.Tensor:
    """1 × 3 × 224 × 224 pixels in [0, 1]."""
    pixels = np.asarray(Image.open(file).convert("RGB"), np.float32) / 255
    top, left = (pixels.shape[0] - SIDE_PX) // 2, (pixels.shape[1] - SIDE_PX) // 2
    square = pixels[top : top + SIDE_PX, left : left + SIDE_PX]
    return torch.from_numpy(square.transpose(2, 0, 1).copy())[None]


if __name__ == "__main__":
    main(sys.argv[1])
