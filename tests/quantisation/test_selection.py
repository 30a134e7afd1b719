import numpy as np
import pytest

from relume.quantisation.graph import Planes, RoundedLayer, RoundedNetwork
from relume.quantisation.selection import choose_layers

ERRORS = {"fine": 0.001, "coarse": 0.1, "large": 0.12}
NUM_PRODUCTS = {"fine": 10, "coarse": 10, "large": 1000}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> RoundedNetwork:
    """Results are grey; each layer in 8 bits adds its error."""

    def results(network: RoundedNetwork, crops: list[Planes], layers: tuple[str, ...]) -> list[Planes]:
        return [crop + np.sqrt(sum(ERRORS[name] ** 2 for name in layers)) for crop in crops]

    monkeypatch.setattr("relume.quantisation.selection._results", results)
    layers = {name: RoundedLayer([], number) for name, number in NUM_PRODUCTS.items()}
    return RoundedNetwork(None, {}, layers)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("psnr", "chosen"),
    [
        (10, {"fine", "coarse", "large"}),
        (18, {"fine", "large"}),  # the large layer errs more, but saves a hundred times the work
        (50, {"fine"}),
        (70, set()),
    ],
)
def test_what_saves_least_for_its_error_stays_in_float(
    network: RoundedNetwork, psnr: float, chosen: set[str]
):
    crops = [np.full((1, 3, 4, 5), 0.3, np.float32)] * 2
    assert {*choose_layers(network, crops, psnr)} == chosen
