"""Which convolutions stay in float32: those that lose the most by 8 bits, for the work that these save."""

from collections.abc import Collection, Sequence

import numpy as np

from relume.quantisation.graph import Planes, RoundedNetwork, open_session


def choose_layers(network: RoundedNetwork, crops: Sequence[Planes], psnr: float) -> list[str]:
    """The convolutions to run in 8 bits, by the names of their results.

    Errors of layers add up, nearly; so each is measured alone. SRResNet's first convolution behind its trunk,
    whose inputs are nine times larger on strong edges than elsewhere, loses more than all others together.

    Args:
        network: with all that could run so.
        crops: a few.
        psnr: against the results in float32 that is aimed at, in dB. If all layers together reach it, all are
            chosen.
    """
    exact = _results(network, crops, ())
    largest = 10 ** (-psnr / 10)

    def error(layers: Collection[str]) -> float:
        pairs = zip(exact, _results(network, crops, layers), strict=True)
        return float(np.mean([np.square(a - b).mean() for a, b in pairs]))

    if error(network.layers) <= largest:
        return [*network.layers]
    errors = {name: error([name]) for name in network.layers}
    chosen = sorted(errors, key=lambda name: errors[name] / network.layers[name].num_products)
    while sum(errors[name] for name in chosen) > largest:
        del errors[chosen.pop()]
    return chosen


def _results(network: RoundedNetwork, crops: Sequence[Planes], layers: Collection[str]) -> list[Planes]:
    session = open_session(network.with_layers(layers))
    given = network.model.graph.input[0].name
    return [np.asarray(session.run(None, {given: crop})[0]).clip(0, 1) for crop in crops]
