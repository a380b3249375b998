import json
import pickle
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from stress.outcomes import COLUMN_DOCS, COLUMNS, Attribution, Facts, Outcomes, Pools, concat
from stress.summary import outcomes_from_increments

LOSSES = [[1.0, -2.0, 4.0], [2.0, 1.0, -1.0], [-1.0, -1.0, -1.0]]


@pytest.fixture
def outcomes():
    plain = outcomes_from_increments(LOSSES, fund_initial=2.5)
    return Outcomes(plain.columns, plain.facts, Attribution(("whale", "retail"), [1, 0], [[2.0, 1.0], [1.5, 1.5]]))


def columns_of(outcomes, **changed):
    return {**outcomes.columns, **changed}


def test_every_column_has_its_dtype_and_a_one_line_meaning(outcomes):
    assert list(COLUMNS) == list(COLUMN_DOCS) == list(outcomes.columns)
    assert all(outcomes.columns[name].dtype == dtype for name, dtype in COLUMNS.items())


def test_a_column_is_an_attribute(outcomes):
    assert outcomes.drawdown.tolist() == [3.0, 3.0, 0.0]


def test_an_unknown_attribute_is_an_attribute_error(outcomes):
    with pytest.raises(AttributeError, match="no attribute or column 'loss'"):
        outcomes.loss  # noqa: B018


def test_a_column_cannot_be_written(outcomes):
    with pytest.raises(ValueError, match="read-only"):
        outcomes.drawdown[0] = 1.0


def test_paths_and_populations_are_counted(outcomes):
    assert (outcomes.n_paths, outcomes.n_populations) == (3, 1)


def test_a_missing_column_is_named(outcomes):
    columns = columns_of(outcomes)
    del columns["surplus"]
    with pytest.raises(ValueError, match=r"missing columns \['surplus'\]"):
        Outcomes(columns, outcomes.facts)


def test_an_unknown_column_is_named(outcomes):
    with pytest.raises(ValueError, match=r"unknown columns \['profit'\]"):
        Outcomes(columns_of(outcomes, profit=np.zeros(3)), outcomes.facts)


def test_a_column_of_another_length_is_named(outcomes):
    with pytest.raises(ValueError, match=r"\{'fund_end': 2\}"):
        Outcomes(columns_of(outcomes, fund_end=np.zeros(2)), outcomes.facts)


def test_a_wider_type_is_refused(outcomes):
    with pytest.raises(ValueError, match="ruin_step is 1-D int64; expected 1-D int32"):
        Outcomes(columns_of(outcomes, ruin_step=np.zeros(3, np.int64)), outcomes.facts)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused(outcomes, value):
    with pytest.raises(ValueError, match="bad_debt holds values that are not finite"):
        Outcomes(columns_of(outcomes, bad_debt=np.full(3, value)), outcomes.facts)


def test_an_attribution_must_add_up_to_the_drawdown(outcomes):
    with pytest.raises(ValueError, match="miss the drawdown by up to 1"):
        Outcomes(outcomes.columns, outcomes.facts, Attribution(("all",), [0], [[2.0]]))


def test_an_attribution_of_a_path_that_does_not_exist_is_refused(outcomes):
    with pytest.raises(ValueError, match=r"outside 0\.\.2"):
        Outcomes(outcomes.columns, outcomes.facts, Attribution(("all",), [3], [[2.0]]))


def test_an_attribution_lists_a_path_once():
    with pytest.raises(ValueError, match="listed twice"):
        Attribution(("all",), [1, 1], [[2.0], [2.0]])


def test_a_saved_file_holds_columns_facts_and_attribution(outcomes, tmp_path):
    outcomes.save(tmp_path / "o.parquet")
    again = Outcomes.load(tmp_path / "o.parquet")
    assert again.digest() == outcomes.digest()
    assert again.facts == outcomes.facts
    assert again.attribution.to_dict() == outcomes.attribution.to_dict()


def test_any_parquet_reader_sees_the_columns(outcomes, tmp_path):
    outcomes.save(tmp_path / "o.parquet")
    assert pq.read_table(tmp_path / "o.parquet").column_names == list(COLUMNS)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(outcomes, tmp_path, monkeypatch):
    path = tmp_path / "o.parquet"
    path.write_text("old")

    def fill_the_disk(table, where, **_):
        where.write_text("half")
        raise OSError("No space left on device")

    monkeypatch.setattr(pq, "write_table", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        outcomes.save(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("o.parquet", "old")]


def test_a_file_of_something_else_is_named(tmp_path):
    (tmp_path / "x.parquet").write_text("hello")
    with pytest.raises(ValueError, match=r"x\.parquet: not an outcomes file"):
        Outcomes.load(tmp_path / "x.parquet")


def test_facts_survive_json():
    facts = Facts(
        "s", "ab", 7, "loop", 3, 60.0, 10, 0.05, 1.0, 2.0, False, True, elapsed_s={"total": 1.5},
        cohorts=("whale",), cover=({"n": 1, "move": -0.3, "losses": np.array([1.0, 2.0])},),
    )  # fmt: skip
    assert Facts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts


def test_outcomes_travel_between_processes(outcomes):
    again = pickle.loads(pickle.dumps(outcomes))
    assert again.digest() == outcomes.digest()


def test_a_frame_has_a_row_a_path(outcomes):
    assert outcomes.to_pandas().shape == (3, len(COLUMNS))


def test_the_digest_changes_with_one_number(outcomes):
    other = Outcomes(columns_of(outcomes, surplus=outcomes.surplus + 1e-9), outcomes.facts)
    assert other.digest() != outcomes.digest()


def test_parts_of_a_run_join_in_order():
    parts = [outcomes_from_increments(part) for part in (LOSSES[:1], LOSSES[1:])]
    assert concat(parts).digest() == outcomes_from_increments(LOSSES).digest()


def test_joined_attributions_count_on(outcomes):
    assert concat([outcomes, outcomes]).attribution.path.tolist() == [1, 0, 4, 3]


def test_a_part_without_attribution_drops_it(outcomes):
    assert concat([outcomes, Outcomes(outcomes.columns, outcomes.facts)]).attribution is None


def test_parts_of_different_runs_are_refused():
    parts = [outcomes_from_increments(LOSSES, fund_initial=fund) for fund in (1.0, 2.0)]
    with pytest.raises(ValueError, match="differ in fund_initial"):
        concat(parts)


def test_nothing_cannot_be_joined():
    with pytest.raises(ValueError, match="no outcomes"):
        concat([])


# --- pools of the fund

ROWS = tuple({"name": name, "symbols": [name], "initial_usd": 5.0} for name in ("main", "new"))


@pytest.fixture
def in_pools(outcomes):
    pools = Pools([[1.0, 0.0], [2.0, 6.0], [0.0, 0.5]], [[-1, -1], [-1, 2], [-1, -1]])
    return Outcomes(outcomes.columns, replace(outcomes.facts, pools=ROWS), outcomes.attribution, pools=pools)


def same_pools(one, other):
    np.testing.assert_array_equal(one.drawdown, other.drawdown)
    np.testing.assert_array_equal(one.ruin_step, other.ruin_step)


def test_pools_are_saved_beside_the_columns_and_change_no_digest(in_pools, outcomes, tmp_path):
    in_pools.save(tmp_path / "o.parquet")
    again = Outcomes.load(tmp_path / "o.parquet")
    same_pools(again.pools, in_pools.pools)
    assert again.facts.pools == ROWS
    assert again.digest() == in_pools.digest() == outcomes.digest()
    assert pq.read_table(tmp_path / "o.parquet")["pool_1_drawdown"].to_pylist() == [0.0, 6.0, 0.5]


def test_pools_travel_between_processes_and_join_in_order(in_pools):
    same_pools(pickle.loads(pickle.dumps(in_pools)).pools, in_pools.pools)
    joined = concat([in_pools, in_pools]).pools
    assert joined.ruin_step[:, 1].tolist() == [-1, 2, -1, -1, 2, -1]


def test_as_many_pools_as_the_facts_name(in_pools):
    with pytest.raises(ValueError, match=r"pools: of shape \(3, 2\); expected \(3, 1\)"):
        Outcomes(in_pools.columns, replace(in_pools.facts, pools=ROWS[:1]), pools=in_pools.pools)


def test_the_two_tables_of_pools_have_one_shape():
    with pytest.raises(ValueError, match="drawdown has shape"):
        Pools([[1.0, 2.0]], [[-1]])
