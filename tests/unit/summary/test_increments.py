import numpy as np
import pytest

from stress.summary import from_increments, outcomes_from_increments

LOSSES = [[1.0, -2.0, 4.0], [2.0, 1.0, -1.0], [-1.0, -1.0, -1.0]]


def test_drawdown_is_the_running_maximum_of_the_loss():
    assert outcomes_from_increments(LOSSES).drawdown.tolist() == [3.0, 3.0, 0.0]


def test_the_deepest_moment_is_the_first_that_is_as_deep():
    assert outcomes_from_increments([[2.0, 0.0, -1.0, 1.0]]).drawdown_step.tolist() == [0]


def test_a_path_that_never_falls_has_no_deepest_moment():
    assert outcomes_from_increments(LOSSES).drawdown_step.tolist() == [2, 1, -1]


def test_a_loss_of_exactly_the_fund_is_no_ruin():
    assert outcomes_from_increments(LOSSES, fund_initial=3.0).ruin_step.tolist() == [-1, -1, -1]


def test_ruin_comes_at_the_first_step_beyond_the_fund():
    assert outcomes_from_increments(LOSSES, fund_initial=1.5).ruin_step.tolist() == [2, 0, -1]


def test_ruin_that_is_made_good_later_is_still_ruin():
    summary = from_increments([[5.0, -5.0]], fund_initial=4.0)
    assert summary.ruin_probability.value == 1.0
    assert summary.fund_change.value == 0.0


def test_gains_are_no_credit_to_the_gross_drawdown():
    assert outcomes_from_increments(LOSSES).drawdown_gross.tolist() == [5.0, 3.0, 0.0]


def test_gross_losses_within_a_step_can_be_given():
    outcomes = outcomes_from_increments([[1.0, -1.0]], gross=[[3.0, 2.0]])
    assert (outcomes.drawdown_gross[0], outcomes.bad_debt[0], outcomes.surplus[0]) == (5.0, 5.0, 5.0)


def test_surplus_less_bad_debt_is_the_change_of_the_fund():
    outcomes = outcomes_from_increments(LOSSES, fund_initial=10.0)
    assert (10 + outcomes.surplus - outcomes.bad_debt).tolist() == outcomes.fund_end.tolist()


def test_blocks_do_not_show():
    loss = np.random.default_rng(1).normal(size=(70_000, 3))
    assert outcomes_from_increments(loss[66_000:]).drawdown.tolist() == (
        outcomes_from_increments(loss).drawdown[66_000:].tolist()
    )


def test_whole_numbers_do_not_overflow():
    assert outcomes_from_increments(np.full((1, 4), 100, dtype=np.int8)).drawdown[0] == 400


def test_populations_are_clusters():
    summary = from_increments(LOSSES, populations=[5, 9, 5])
    assert summary.n_populations == 2


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([1.0, 2.0], r"increments: needs shape \(n_paths, n_steps\), both positive, not \(2,\)"),
        (np.zeros((0, 3)), r"not \(0, 3\)"),
        (np.zeros((3, 0)), r"not \(3, 0\)"),
        ([[1.0, np.nan]], "increments: holds values that are not finite"),
        ([[1.0, -np.inf]], "increments: holds values that are not finite"),
        ([["a", "b"]], "increments: not a table of numbers"),
        ([[1.0], [1.0, 2.0]], "increments: not a table of numbers"),
        ([[1j]], "increments: not a table of numbers"),
        ([[None, {}]], "increments: not a table of numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_one_clear_line(losses, message):
    with pytest.raises(ValueError, match=message) as error:
        from_increments(losses)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fund_initial": -1.0}, "fund_initial must be finite and not negative"),
        ({"fund_initial": np.nan}, "fund_initial must be finite and not negative"),
        ({"horizon_hours": 0.0}, "horizon_hours must be finite and positive"),
        ({"levels": (0.99, 1.0)}, r"level must lie between 0 and 1, not 1\.0"),
        ({"levels": ()}, "at least one level"),
        ({"confidence": 0.0}, "confidence must lie between 0 and 1"),
        ({"populations": [1, 2]}, r"populations: needs shape \(3,\), not \(2,\)"),
        ({"gross": [[1.0]]}, "gross: shape"),
        ({"gross": np.zeros((3, 3))}, "at least the net loss"),
    ],
)
def test_what_is_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        from_increments(LOSSES, **options)
