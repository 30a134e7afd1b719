import pytest

from relume.train.schedule import Schedule


def course(steps=100, **options):
    schedule = Schedule(**options)
    return [schedule.at(step, steps) for step in range(steps)]


def test_constant():
    assert set(course(kind="constant")) == {1.0}


def test_cosine_falls_from_one_to_the_final_factor():
    values = course(kind="cosine", final=0.1)
    assert values[0] == 1
    assert values[50] == pytest.approx(0.55)
    assert values[-1] == pytest.approx(0.1, abs=1e-3)
    assert values == sorted(values, reverse=True)


def test_milestones_multiply():
    values = course(kind="milestones", milestones=(0.5, 0.75), factor=0.1)
    assert values[49] == 1
    assert values[50] == pytest.approx(0.1)
    assert values[75] == pytest.approx(0.01)


def test_trapezoid_stays_then_falls_linearly():
    values = course(kind="trapezoid", decay=0.2)
    assert set(values[:80]) == {1.0}
    assert values[90] == pytest.approx(0.5)
    assert values[99] == pytest.approx(0.05)


def test_warmup_rises_linearly():
    values = course(kind="constant", warmup_steps=9)
    assert values[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert values[9] == 1


def test_a_trapezoid_made_longer_leaves_the_past_as_it_was():
    assert (
        course(steps=100, kind="trapezoid", decay=0.2)[:80]
        == course(steps=200, kind="trapezoid", decay=0.2)[:80]
    )
