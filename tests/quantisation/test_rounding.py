import numpy as np
import pytest

from relume.quantisation.rounding import Levels, Samples, choose_levels, round_kernel

RNG = np.random.default_rng(1)


def samples_of(inputs: np.ndarray, outputs: np.ndarray) -> Samples:
    samples = Samples(inputs.shape[1], outputs.shape[1])
    for part in range(0, len(inputs), 100):
        samples.add(inputs[part : part + 100], outputs[part : part + 100])
    return samples


@pytest.mark.parametrize("lows", [[-1.0, -20.0, 0.0], [0.0, 0.0, 0.0]])
def test_levels_hold_every_value_and_zero(lows: list[float]):
    highs = np.array([3.0, 7.0, 0.5])
    levels = choose_levels(np.array(lows), highs, np.ones(3))
    assert 0 <= levels.zero <= 255
    assert np.all(levels.steps * (255 - levels.zero) >= highs * (1 - 1e-6))
    assert np.all(-levels.steps * levels.zero <= np.array(lows) * (1 - 1e-6))
    assert len({*levels.steps}) == 3, "each channel has a step of its own"


def test_the_channel_that_counts_most_gets_the_finest_levels():
    lows, highs = np.array([-1.0, -1.0]), np.array([1.0, 9.0])
    first, second = (choose_levels(lows, highs, np.array(gains)) for gains in ((1.0, 1e-6), (1e-6, 1.0)))
    assert first.steps[0] < second.steps[0]
    assert second.steps[1] < first.steps[1]


def test_a_channel_without_values_does_no_harm():
    levels = choose_levels(np.zeros(2), np.array([0.0, 1.0]), np.ones(2))
    assert np.all(np.isfinite(levels.steps))
    assert np.all(levels.steps > 0)
    assert np.all(choose_levels(np.zeros(2), np.zeros(2), np.ones(2)).steps > 0)


def test_kernels_are_rounded_to_give_the_outputs_not_the_weights():
    inputs = RNG.normal(size=(2000, 4)) @ RNG.normal(size=(4, 18)) + RNG.normal(size=(2000, 18)) + 3
    inputs = np.round(inputs * 10).astype(np.float32)
    kernel = RNG.normal(size=(5, 2, 3, 3)).astype(np.float32)
    outputs = inputs @ kernel.reshape(5, -1).T + 7
    rounded = round_kernel(kernel, Levels(np.ones(2, np.float32), 0), samples_of(inputs, outputs))
    assert rounded.weights.dtype == np.int8
    assert np.abs(rounded.weights.astype(int)).max() <= 127

    def error(weights: np.ndarray, bias: np.ndarray) -> float:
        return float(np.square(inputs @ weights.reshape(5, -1).T + bias - outputs).mean())

    steps = np.abs(kernel).max((1, 2, 3)) / 127
    plain = np.round(kernel / steps[:, None, None, None]) * steps[:, None, None, None]
    fitted = rounded.weights * rounded.steps[:, None, None, None]
    assert error(fitted, rounded.bias) < 0.5 * error(plain, np.full(5, 7.0))


def test_the_bias_takes_what_is_wrong_in_the_mean():
    inputs = RNG.normal(size=(1000, 9)).astype(np.float32) * 50
    kernel = RNG.normal(size=(3, 1, 3, 3)).astype(np.float32)
    outputs = inputs @ kernel.reshape(3, -1).T - 4
    shifted = inputs + 10  # layers before it have gone wrong by so much
    rounded = round_kernel(kernel, Levels(np.ones(1, np.float32), 0), samples_of(shifted, outputs))
    found = shifted @ (rounded.weights.reshape(3, -1) * rounded.steps[:, None]).T + rounded.bias
    np.testing.assert_allclose(found.mean(0), outputs.mean(0), atol=0.01)
