"""How large the features of VGG19 are, so that losses on them can be made comparable.

Those of the original weights were measured on photographs. Those of another set are estimated from its answer
to a picture that can be drawn anywhere: dead leaves, whose edges, areas and spectrum are much like those of
photographs. Only the ratio to the original weights' answer is taken from it.

Source of dead leaves: A. Lee, D. Mumford and J. Huang, "Occlusion Models for Natural Images", IJCV 2001.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from relume.archs.vgg import TAPS
from relume.losses.vgg_weights import CAFFE, VGG19Weights

# fmt: off
MEASURED: dict[str, tuple[float, float]] = {
    "conv1_1": (64.53, 41.12), "conv1_2": (210.8, 143),
    "conv2_1": (346.2, 252.5), "conv2_2": (443.6, 357.1),
    "conv3_1": (487.3, 421.6), "conv3_2": (423.1, 409.4),
    "conv3_3": (548.6, 481.9), "conv3_4": (979.2, 898.5),
    "conv4_1": (1393, 1475), "conv4_2": (1430, 1420),
    "conv4_3": (1105, 1055), "conv4_4": (768.3, 757.3),
    "conv5_1": (367, 328.9), "conv5_2": (194.7, 170.3),
    "conv5_3": (99.07, 84.79), "conv5_4": (58.08, 38.92),
    "relu1_1": (45.47, 29.88), "relu1_2": (189.6, 127.5),
    "relu2_1": (220.5, 163.4), "relu2_2": (261.7, 226.7),
    "relu3_1": (275.9, 265.6), "relu3_2": (301.9, 272.4),
    "relu3_3": (512.5, 452.1), "relu3_4": (875.5, 824.1),
    "relu4_1": (915.4, 924.9), "relu4_2": (724.6, 730.1),
    "relu4_3": (442.7, 446.2), "relu4_4": (175.4, 156.5),
    "relu5_1": (132, 117.1), "relu5_2": (61.84, 51.51),
    "relu5_3": (27.06, 19.2), "relu5_4": (6.852, 4.641),
}
# fmt: on
"""Tap -> root mean square of its features with the original weights, on photographs (central 224² pixels of
399 of BSDS500, train and test part) and on dead leaves.

Measured by ``python benchmarks/vgg_activations.py FOLDER``.
"""


def typical_size(weights: VGG19Weights) -> dict[str, float]:
    """Tap -> root mean square of its features on photographs, measured or estimated."""
    if weights.source is CAFFE:
        return {tap: photographs for tap, (photographs, _) in MEASURED.items()}
    answer = measure(weights, dead_leaves())
    return {tap: photographs * answer[tap] / leaves for tap, (photographs, leaves) in MEASURED.items()}


@torch.no_grad()
def measure(weights: VGG19Weights, pictures: Float[Tensor, "n 3 h w"]) -> dict[str, float]:
    """Tap -> root mean square of its features, to four digits; pictures in [0, 1]."""
    features = weights.network(pictures.to(weights.network.mean.device), TAPS)
    return {tap: float(f"{x.square().mean().sqrt().item():.4g}") for tap, x in features.items()}


def dead_leaves(side_px: int = 224, num_leaves: int = 1500) -> Float[Tensor, "1 3 h w"]:
    """Muted discs that cover each other, as many of a radius as its inverse cube; always the same picture."""
    random = np.random.default_rng(0).random
    smallest, largest = side_px / 40, side_px / 2
    y, x = np.mgrid[:side_px, :side_px]
    picture = np.full((3, side_px, side_px), 0.4, np.float32)
    for _ in range(num_leaves):
        share = random()
        radius = (share / smallest**2 + (1 - share) / largest**2) ** -0.5
        row, column = side_px * random(2)
        inside = (y - row) ** 2 + (x - column) ** 2 < radius**2
        picture[:, inside] = (0.4 + 0.5 * (random() - 0.5) + 0.25 * (random(3) - 0.5))[:, None]
    return torch.from_numpy(picture)[None]
