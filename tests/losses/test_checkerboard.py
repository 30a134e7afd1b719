import pytest
import torch

from relume.losses.checkerboard import checkerboard

GREY = torch.full((2, 3, 64, 64), 0.5)


def test_a_pattern_counts_with_its_mean_absolute_value():
    striped = GREY.clone()
    striped[..., ::4, :] += 0.04  # one row in four: 0.03 above the mean there, 0.01 below elsewhere
    assert checkerboard(striped, GREY, 4).item() == pytest.approx((0.03 + 3 * 0.01) / 4, rel=1e-4)


def test_patterns_of_half_the_period_count_too():
    board = GREY.clone()
    board[..., ::2, ::2] += 0.04
    assert checkerboard(board, GREY, 4).item() == pytest.approx(checkerboard(board, GREY, 2).item())


@pytest.mark.parametrize("period", [2, 4])
def test_errors_without_this_pattern_do_not_count(period):
    shifted = GREY + 0.1
    assert checkerboard(shifted, GREY, period).item() == pytest.approx(0, abs=1e-7)
    noise = 0.1 * torch.randn(GREY.shape, generator=torch.Generator().manual_seed(0))
    assert checkerboard(GREY + noise, GREY, period).item() < noise.abs().mean().item() / 6


def test_a_pattern_of_the_target_is_no_error():
    striped = GREY.clone()
    striped[..., ::4] += 0.2
    assert checkerboard(striped, striped, 4).item() == 0


def test_small_and_odd_sides_and_half_precision():
    small = torch.rand(1, 3, 11, 9)
    loss = checkerboard(small.bfloat16(), small.bfloat16() * 0, 4)
    assert loss.dtype == torch.float32
    assert loss.item() > 0


def test_the_mean_over_equal_parts_is_that_of_the_batch():
    sr, hq = torch.rand(4, 3, 32, 32), torch.rand(4, 3, 32, 32)
    halves = (checkerboard(sr[:2], hq[:2], 4) + checkerboard(sr[2:], hq[2:], 4)) / 2
    torch.testing.assert_close(halves, checkerboard(sr, hq, 4))
