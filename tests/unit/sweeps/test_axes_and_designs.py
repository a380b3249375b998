"""Axes turn values and ranges into numbers; designs lay points over them."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from stress.sweeps.axes import Axis
from stress.sweeps.designs import Csv, Grid, LatinHypercube, Listed, Morris, Saltelli, Sobol, Zip

VOL = Axis(name="market.vol_annual", low=1.0, high=3.0, steps=3)
LOG = Axis(name="fund.initial_usd", low=1.0, high=100.0, scale="log", steps=3)
KIND = Axis(name="market.kind", values=("gbm", "volatility_clock"))


def test_a_range_is_cut_into_equal_steps_on_its_scale():
    assert VOL.all_values() == (1.0, 2.0, 3.0)
    assert LOG.all_values() == pytest.approx((1.0, 10.0, 100.0), rel=1e-15)
    assert (LOG.at(0.0), LOG.at(1.0)) == (1.0, 100.0)  # the ends exactly


def test_values_take_equal_parts_of_the_unit_interval():
    assert [KIND.at(u) for u in (0.0, 0.49, 0.5, 1.0)] == ["gbm", "gbm", "volatility_clock", "volatility_clock"]


def test_whole_numbers_are_rounded():
    assert Axis(name="population.0.count", low=10, high=13, steps=3, whole=True).all_values() == (10, 12, 13)


def test_tables_as_values_are_known_by_their_labels():
    axis = Axis(name="layer", values=([{"kind": "adl"}], []), labels=("adl", "nobody"))
    assert (axis.cell([{"kind": "adl"}]), axis.cell([]), axis.numeric) == ("adl", "nobody", False)


def test_places_invert_values():
    u = np.linspace(0.0, 1.0, 7)
    for axis in (VOL, LOG):
        assert axis.places(np.array([axis.at(x) for x in u])) == pytest.approx(u, abs=1e-14)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"name": "market.vol_annual"}, "needs either 'values'"),
        ({"name": "market.vol_annual", "values": []}, "needs either 'values', at least one"),
        ({"values": [1.0]}, "needs either 'name' or 'names'"),
        ({"name": "x", "low": 2.0, "high": 1.0}, "low 2 is not below high 1"),
        ({"name": "x", "low": 2.0}, "needs both"),
        ({"name": "x", "low": 0.0, "high": 1.0, "scale": "log"}, "must be above 0"),
        ({"name": "x", "values": [1.0], "labels": ["a", "b"]}, "2 labels for 1 values"),
        ({"name": "run.seed", "values": [1]}, "run.seed cannot vary"),
        ({"name": "reserve.levels", "values": [1]}, "reserve.levels cannot vary"),
    ],
)
def test_a_wrong_axis_is_one_sentence(table, said):
    with pytest.raises(ValidationError, match=said):
        Axis.model_validate(table)


def test_a_grid_is_all_combinations_the_last_axis_fastest():
    assert Grid().rows((VOL, KIND), 7)[:3] == [(1.0, "gbm"), (1.0, "volatility_clock"), (2.0, "gbm")]
    assert len(Grid().rows((VOL, LOG, KIND), 7)) == 18


def test_zipped_lists_go_side_by_side_and_must_be_equally_long():
    other = Axis(name="x", values=(7, 8, 9))
    assert Zip().rows((VOL, other), 7) == [(1.0, 7), (2.0, 8), (3.0, 9)]
    with pytest.raises(ValueError, match=r"equally many values, got market.vol_annual 3, market.kind 2"):
        Zip().rows((VOL, KIND), 7)


def test_a_latin_hypercube_has_one_point_in_every_stratum_of_every_axis():
    rows = LatinHypercube(points=16).rows((VOL, LOG), 7)
    for i, axis in enumerate((VOL, LOG)):
        places = axis.places(np.array([row[i] for row in rows]))
        assert sorted((16 * places).astype(int)) == list(range(16))


def test_a_sobol_design_is_the_same_for_the_same_seed_and_a_power_of_two():
    assert Sobol(points=8).rows((VOL, LOG), 7) == Sobol(points=8).rows((VOL, LOG), 7)
    assert Sobol(points=8).rows((VOL, LOG), 7) != Sobol(points=8).rows((VOL, LOG), 8)
    with pytest.raises(ValidationError, match="power of two, got 100; nearest 128"):
        Sobol(points=100)


def test_designs_for_sensitivity_have_the_points_that_their_method_asks_for():
    pytest.importorskip("SALib", reason="the extra 'sensitivity' is not installed")
    assert len(Saltelli(base=8).rows((VOL, LOG), 7)) == 8 * (2 + 2)
    assert len(Saltelli(base=8, pairs=True).rows((VOL, LOG), 7)) == 8 * (2 * 2 + 2)
    rows = Morris(trajectories=5).rows((VOL, LOG), 7)
    assert len(rows) == 5 * (2 + 1)
    moved = [sum(a != b for a, b in zip(p, q, strict=True)) for p, q in pairwise(rows)]
    assert [m for i, m in enumerate(moved) if i % 3 != 2] == [1] * 10  # one axis at a time


def test_points_may_be_written_out():
    assert Listed(points=((1.5, 2.0),)).rows((VOL, LOG), 7) == ((1.5, 2.0),)
    with pytest.raises(ValueError, match=r"design.points.0: has 1 values for 2 axes"):
        Listed(points=((1.5,),)).rows((VOL, LOG), 7)


def test_points_may_come_from_a_file(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("market.kind, fund.initial_usd\ngbm, 1e6\nvolatility_clock, 2e6\n")
    design = Csv(file=str(path))
    axes = design.axes(())
    assert [axis.column for axis in axes] == ["market.kind", "fund.initial_usd"]
    assert design.rows(axes, 7) == [("gbm", 1e6), ("volatility_clock", 2e6)]


@pytest.mark.parametrize(
    ("text", "said"),
    [("a,b\n", "at least one point"), ("a,b\n1\n", "line 2 has 1 of 2 values"), (None, "No such file")],
)
def test_a_wrong_file_of_points_is_one_sentence(tmp_path, text, said):
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=said):
        Csv(file=str(path)).axes(())
