import pytest
import torch

from relume.losses.total_variation import total_variation


def test_it_is_the_hand_computed_mean_per_direction():
    sr = torch.tensor([[[[0.0, 0.5, 0.5], [1.0, 0.25, 0.0]]]])
    vertical = (1 + 0.25 + 0.5) / 3
    horizontal = (0.5 + 0 + 0.75 + 0.25) / 4
    assert total_variation(sr).item() == pytest.approx(vertical + horizontal)


def test_it_is_taken_in_float32():
    assert total_variation(torch.ones(1, 1, 2, 2, dtype=torch.bfloat16)).dtype == torch.float32


def test_equal_parts_of_a_batch_average_to_the_whole():
    sr = torch.rand(4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    halves = (total_variation(sr[:2]) + total_variation(sr[2:])) / 2
    torch.testing.assert_close(halves, total_variation(sr))
