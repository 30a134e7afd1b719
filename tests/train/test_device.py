import ctypes
import sys

import pytest
import torch

from relume.errors import UsageError
from relume.train.device import open_device


def test_auto_is_the_best_there_is():
    assert open_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert open_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu", "cuda:99", ""])
def test_others_are_usage_errors(name):
    with pytest.raises(UsageError, match="cannot train on this device"):
        open_device(name)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_each_process_of_a_machine_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert open_device("cuda") == torch.device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "99")
    with pytest.raises(UsageError, match="got cuda:99"):
        open_device("cuda")


def _faults_per_tensor():
    """Pages that the system has to provide for a tensor of 16,384 pages like many freed before."""
    resource = pytest.importorskip("resource")
    for _ in range(10):
        torch.zeros(16 * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.zeros(16 * 2**20)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc can be told to")
def test_a_step_takes_the_memory_of_the_one_before():
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("a C library other than glibc")
    open_device("cpu")
    assert _faults_per_tensor() < 100
