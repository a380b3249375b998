import math

import numpy as np
import pytest

from stress.agents.push import Push

JELLY = Push(move=math.log(4.0), rise_minutes=10.0, hold_minutes=20.0, fade_minutes=10.0, kept=0.25)


@pytest.mark.parametrize(
    ("minutes", "share"), [(0.0, 0.0), (5.0, 0.5), (10.0, 1.0), (30.0, 1.0), (35.0, 0.625), (40.0, 0.25), (9e9, 0.25)]
)
def test_a_push_rises_holds_and_fades_to_what_is_kept(minutes, share):
    assert JELLY.share_at(np.array([minutes])) == pytest.approx([share])


def test_a_push_without_a_rise_is_there_at_once_and_one_without_a_fade_is_gone_at_once():
    at_once = Push(move=1.0, rise_minutes=0.0, hold_minutes=5.0)
    assert at_once.share_at(np.array([0.0, 5.0, 6.0])).tolist() == [1.0, 1.0, 0.0]


def test_what_is_kept_in_full_never_fades():
    assert Push(move=-0.5, rise_minutes=2.0, kept=1.0).share_at(np.array([1.0, 2.0, 99.0])).tolist() == [0.5, 1.0, 1.0]


@pytest.mark.parametrize(("move", "reach", "limited"), [(1.0, 0.4, 0.4), (-1.0, 0.4, -0.4), (0.3, math.inf, 0.3)])
def test_a_push_goes_no_further_than_its_money_reaches(move, reach, limited):
    assert Push(move=move, rise_minutes=1.0).limited(reach) == limited
