"""The arithmetic of 8 bits: levels for what convolutions take, and kernels rounded to make up for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST_LEVEL = 255
LARGEST_WEIGHT = 127
"""Of unsigned 8-bit levels, and of signed 8-bit weights around 0."""

RIDGE = 1.0
"""What is added to the variance of every input, relative to their mean, when kernels are fitted: it holds
them near the given ones. With 0.01 the last kernels of SRResNet, which have more weights than there are
samples, took them too seriously (37.8 dB against float32 on two pictures; now 48.4)."""

SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
"""Of the largest weight of an output, what is tried as its largest level."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """256 levels for a tensor with channels: ``steps · (level − zero)``.

    Attributes:
        steps: C, the distance between two levels of each channel.
        zero: the level that stands for 0, with which convolutions pad.
    """

    steps: NDArray[np.float32]
    zero: int


@dataclass(frozen=True)
class RoundedKernel:
    """A kernel whose inputs are levels: ``steps · (weights ∗ (level − zero)) + bias``.

    Attributes:
        weights: O×I×k×k.
        steps: O.
        bias: O.
    """

    weights: NDArray[np.int8]
    steps: Floats
    bias: Floats


class Samples:
    """What is known of inputs and wanted outputs of a convolution at some places: sums of their products.

    Args:
        num_inputs: values under the kernel, ``I·k·k``.
        num_outputs: output channels.
    """

    def __init__(self, num_inputs: int, num_outputs: int):
        self._count = 0
        self._inputs = np.zeros(num_inputs)
        self._outputs = np.zeros(num_outputs)
        self._inputs_inputs = np.zeros((num_inputs, num_inputs), np.float32)
        self._inputs_outputs = np.zeros((num_inputs, num_outputs))

    def add(self, inputs: NDArray[np.float32], outputs: NDArray[np.float32]) -> None:
        """Take N places more: N×num_inputs and N×num_outputs."""
        self._count += len(inputs)
        self._inputs += inputs.sum(0)
        self._outputs += outputs.sum(0)
        self._inputs_inputs += inputs.T @ inputs
        self._inputs_outputs += inputs.T @ outputs

    def means(self) -> tuple[Floats, Floats]:
        """Of the inputs and of the outputs."""
        return self._inputs / self._count, self._outputs / self._count

    def covariances(self) -> tuple[Floats, Floats]:
        """Of the inputs with each other, and of the inputs with the outputs."""
        inputs, outputs = self.means()
        return (
            self._inputs_inputs / self._count - np.outer(inputs, inputs),
            self._inputs_outputs / self._count - np.outer(inputs, outputs),
        )


def choose_levels(lows: Floats, highs: Floats, gains: Floats) -> Levels:
    """Levels that hold all values that were seen, with the least error behind the convolution.

    With 0 at level ``z`` the step of a channel is the larger of ``high / (255 − z)`` and ``−low / z``, and
    rounding errs by its square, but for a factor. Steps of channels differ, which costs nothing: the tensor
    is divided by them before it is rounded, and the kernel multiplied.

    Source: M. Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV
    2019, section 4.1, for equal ranges of all channels; here without a change of the layer before.

    Args:
        lows: C, the smallest values, at most 0.
        highs: C, the largest, at least 0.
        gains: C, the energy of the kernel over each input channel.
    """
    zeros = np.arange(LARGEST_LEVEL + 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.fmax(highs / (LARGEST_LEVEL - zeros), -lows / zeros)  # 0 / 0: no value on that side
    zero = int(np.argmin((gains * np.square(steps)).sum(1)))
    chosen = np.maximum(steps[zero], 1e-6 * steps[zero].max() + 1e-12)
    return Levels(chosen.astype(np.float32), zero)


def round_kernel(kernel: NDArray[np.float32], levels: Levels, samples: Samples) -> RoundedKernel:
    """The 8-bit kernel and the bias whose outputs, from rounded inputs, come nearest to those wanted.

    First least squares: the kernel in float that does so, held near the given one. Then its weights are
    rounded one input after the other, those that are left making up for what was lost. The bias takes what
    remains of the mean.

    Sources: E. Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained
    transformers", ICLR 2023; L. Babai, "On Lovász' lattice reduction and the nearest lattice point problem",
    Combinatorica 6, 1986, whose nearest plane this is; M. Nagel et al., as above, section 4.2, for the bias.

    Args:
        kernel: O×I×k×k, in float.
        levels: of its input.
        samples: inputs in levels less ``zero``, and outputs of the network in float.
    """
    between_inputs, with_outputs = samples.covariances()
    ridge = RIDGE * max(float(np.mean(np.diag(between_inputs))), 1e-12)
    metric = between_inputs + ridge * np.eye(len(between_inputs))
    given = (kernel * levels.steps[:, None, None]).reshape(len(kernel), -1).astype(np.float64)
    best = np.asarray(np.linalg.solve(metric, with_outputs + ridge * given.T).T, np.float64)
    steps = _choose_steps(best, np.diag(metric))
    weights = _nearest_plane(best / steps[:, None], np.asarray(np.linalg.cholesky(metric).T, np.float64))
    inputs, outputs = samples.means()
    bias = outputs - steps * (weights @ inputs)
    return RoundedKernel(weights.reshape(kernel.shape).astype(np.int8), steps, bias)


def _choose_steps(weights: Floats, variances: Floats) -> Floats:
    """The step of each output with which plain rounding errs least, weighted by the inputs' variances."""
    largest = np.abs(weights).max(1) / LARGEST_WEIGHT + 1e-12
    candidates = np.stack([share * largest for share in SHARES])
    errors = [
        (np.square(_rounded(weights / s[:, None]) * s[:, None] - weights) * variances).sum(1)
        for s in candidates
    ]
    return candidates[np.argmin(errors, 0), np.arange(len(weights))]


def _nearest_plane(weights: Floats, triangle: Floats) -> Floats:
    """Round the columns, the last first; each takes over what the error of those behind it asks of it.

    Args:
        weights: O×n, in steps.
        triangle: n×n, upper, whose square ``triangleᵀ · triangle`` measures errors.
    """
    rounded, lost = np.zeros_like(weights), np.zeros_like(weights)
    for column in reversed(range(weights.shape[1])):
        asked = lost[:, column + 1 :] @ triangle[column, column + 1 :] / triangle[column, column]
        rounded[:, column] = _rounded(weights[:, column] + asked)
        lost[:, column] = weights[:, column] - rounded[:, column]
    return rounded


def _rounded(weights: Floats) -> Floats:
    return np.clip(np.round(weights), -LARGEST_WEIGHT, LARGEST_WEIGHT)
