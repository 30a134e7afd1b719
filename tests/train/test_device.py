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
