"""A small network with weights that are not the initial ones, as both kinds of model file."""

from pathlib import Path

import pytest
import torch

from relume.archs import Network, build
from relume.card import ModelCard
from relume.export import write_model

OPTIONS = {"scale": 2, "size": "tiny"}


@pytest.fixture(scope="session")
def network() -> Network:
    torch.manual_seed(5)
    network = build("compact", OPTIONS).eval()
    for parameter in network.parameters():
        parameter.data += 0.03 * torch.randn_like(parameter)
    return network


@pytest.fixture(scope="session")
def card(network: Network) -> ModelCard:
    return ModelCard(
        name="test-x2",
        task="upscale",
        arch="compact",
        arch_options=OPTIONS,
        scale=network.scale,
        halo_px=network.halo_px,
    )


@pytest.fixture(scope="session")
def onnx_file(network: Network, card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "test-x2.onnx"
    write_model(network, card, path)
    return path


@pytest.fixture(scope="session")
def safetensors_file(network: Network, card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "test-x2.safetensors"
    write_model(network, card, path)
    return path
