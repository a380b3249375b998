from dataclasses import fields

from stress.exchange.state import MAX_COHORTS, ExchangeState
from stress.rules import record


def test_the_record_of_the_compiled_engines_has_the_fields_of_the_object():
    assert record(ExchangeState()).dtype.names == tuple(field.name for field in fields(ExchangeState))


def test_a_state_becomes_a_record_value_by_value():
    row = record(ExchangeState(mark=45_000.0, ruin_step=7, depth_step=-1))[0]
    assert (row["mark"], row["ruin_step"], row["depth_step"]) == (45_000.0, 7, -1)


def test_states_do_not_share_their_cohorts():
    first, second = ExchangeState(), ExchangeState()
    first.cohort_loss[0] = 1.0
    assert second.cohort_loss == [0.0] * MAX_COHORTS
