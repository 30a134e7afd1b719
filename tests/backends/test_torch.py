from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relume.archs import Network
from relume.backends.cuda_graph import WORTH_RECORDING
from relume.backends.torch import TorchBackend, devices, load
from relume.card import ModelCard
from relume.errors import InputError, OutOfMemory


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


@pytest.fixture
def like_cuda(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The processor takes the way for NVIDIA's GPUs, as far as there is one; gives what was waited for."""
    waits: list[str] = []

    class Event:
        def __init__(self, blocking: bool):
            assert blocking

        def record(self, stream: str) -> None:
            self.stream = stream

        def synchronize(self) -> None:
            waits.append(self.stream)

    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *shape, pin_memory, **more: empty(*shape, **more))
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    monkeypatch.setattr(TorchBackend, "_is_cuda", True)
    return waits


@pytest.mark.parametrize("depth", [np.float32, np.uint8])
def test_the_way_for_gpus_gives_the_same_and_waits_when_asked(
    depth: type, network: Network, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    batches = np.random.default_rng(0).random((3, 2, 9, 7, 3), np.float32)
    expected = [TorchBackend(network.deployed()).run(batch, depth) for batch in batches]
    waits = request.getfixturevalue("like_cuda")
    backend = TorchBackend(network.deployed())
    started = [backend.start(batch, depth) for batch in batches[:2]]
    assert waits == []
    results = [sr() for sr in started]
    assert waits == ["stream of cpu"] * 2
    backend.run(batches[2], depth)
    assert all((sr == like).all() for sr, like in zip(results, expected[:2], strict=True))


def test_out_of_memory_forgets_what_was_recorded(network: Network, like_cuda: list[str]):
    forgotten: list[bool] = []

    class Short(torch.nn.Module):
        def forward(self, _: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    backend = TorchBackend(Short())
    assert backend._recorded is not None
    backend._recorded.forget = lambda: forgotten.append(True)
    with pytest.raises(OutOfMemory):
        backend.start(np.zeros((1, 3, 4, 3), np.float32))
    assert forgotten == [True]


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no NVIDIA GPU")


@needs_cuda
@pytest.mark.parametrize("depth", [np.float32, np.uint8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_cuda_gives_the_same_with_two_under_way_and_recorded(
    network: Network, dtype: torch.dtype, depth: type
):
    batches = np.random.default_rng(0).random((2 * WORTH_RECORDING, 1, 40, 56, 3), np.float32)
    exact = TorchBackend(network.deployed())
    expected = [exact.run(batch, depth).astype(np.float32) for batch in batches]
    backend = TorchBackend(network.deployed(), "cuda", dtype)
    waiting = backend.start(batches[0], depth)
    found: list[np.ndarray] = []
    for batch in batches[1:]:
        following = backend.start(batch, depth)
        found.append(waiting().copy())
        waiting = following
    found.append(waiting().copy())
    assert backend._recorded is not None
    assert backend._recorded._recording is not None
    allowed = 0.02 * (255 if depth is np.uint8 else 1)
    assert max(abs(sr - like).max() for sr, like in zip(found, expected, strict=True)) < allowed


@needs_cuda
def test_cuda_goes_on_after_memory_ran_out(network: Network):
    backend = TorchBackend(network.deployed(), "cuda", torch.float16)
    batch = np.random.default_rng(0).random((1, 40, 56, 3), np.float32)
    before = [backend.run(batch).copy() for _ in range(WORTH_RECORDING + 2)][-1]
    free = torch.cuda.mem_get_info()[0] / torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction(min(free, 0.001))
    try:
        with pytest.raises(OutOfMemory):
            backend.run(np.zeros((1, 4000, 4000, 3), np.float32))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert abs(backend.run(batch) - before).max() < 1e-3
