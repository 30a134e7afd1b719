from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relume.archs import Network
from relume.backends.torch import TorchBackend, devices, load
from relume.card import ModelCard
from relume.errors import InputError


def test_runs_a_network_from_training_without_touching_its_gradients(network: Network):
    backend = TorchBackend(network.deployed())
    assert backend.run(np.ones((1, 5, 4, 3), np.float32)).shape == (1, 10, 8, 3)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_shorter_type_gives_nearly_the_same(network: Network):
    batch = np.random.default_rng(0).random((2, 9, 7, 3), np.float32)
    exact = TorchBackend(network.deployed()).run(batch)
    short = TorchBackend(network.deployed(), dtype=torch.bfloat16).run(batch)
    assert short.dtype == np.float32
    assert 0 < np.abs(short - exact).max() < 0.02


def test_weights_of_another_architecture(safetensors_file: Path, card: ModelCard):
    with pytest.raises(InputError, match="cannot load"):
        load(safetensors_file, replace(card, arch_options={"scale": 2, "size": "small"}), "cpu", 1)


def test_other_runtime_errors_are_not_taken_for_want_of_memory():
    class Broken(torch.nn.Module):
        def forward(self, _: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("size mismatch")

    with pytest.raises(InputError, match="size mismatch"):
        TorchBackend(Broken()).run(np.zeros((1, 3, 4, 4), np.float32))


def test_the_cpu_is_always_there():
    assert devices()[-1] == "cpu"
