"""Figures of a sweep show its numbers, on labeled axes."""

import numpy as np
import pyarrow as pa
import pytest

from stress import plots
from stress.sweeps import Sweep
from stress.sweeps.effects import Effect, Sensitivity


def swept(axes, design="grid", **columns):
    n = len(next(iter(axes.values())))
    reserve = 1e6 * (1.0 + np.arange(n))
    table = {"point": np.arange(n), "status": ["done"] * n, **axes, "n_paths": [500] * n}
    table |= {"ruin": np.linspace(0.0, 0.2, n), "reserve_0.99": reserve}
    table |= {"reserve_0.99_low": 0.9 * reserve, "reserve_0.99_high": 1.2 * reserve} | columns
    about = {"name": "s", "unit": "USD", "horizon_hours": 72.0, "levels": [0.99], "design": {"kind": design}}
    return Sweep(pa.table(table), tuple(axes), about)


def test_the_reserve_over_one_axis_is_drawn_in_the_order_of_the_axis():
    ax = plots.reserve_over(swept({"leverage": [3.0, 1.0, 2.0]}), "leverage")
    line = ax.get_lines()[0]
    assert list(line.get_xdata()) == [1.0, 2.0, 3.0]
    assert list(line.get_ydata()) == [2.0, 3.0, 1.0]  # USD million
    assert ax.get_xlabel() == "leverage"


def test_texts_stand_side_by_side():
    ax = plots.reserve_over(swept({"layer": ["adl", "socialize"]}), "layer")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["adl", "socialize"]
    assert len(ax.containers) == 1  # points with bars, and no line between texts


def test_a_map_has_every_point_of_the_grid_in_its_place():
    axes = {"a": np.repeat([1.0, 2.0, 3.0], 2), "b": np.tile([10.0, 20.0], 3)}
    ax = plots.ruin_map(swept(axes))
    assert np.asarray(ax.collections[0].get_array()).reshape(2, 3) == pytest.approx(np.array([[1, 3, 5], [2, 4, 6]]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")


def test_points_that_are_no_grid_are_mapped_by_triangles():
    found = swept({"a": [1.0, 2.0, 3.0, 1.0, 2.5], "b": [1.0, 3.0, 1.0, 4.0, 2.0]}, design="sobol")
    ((name, ax),) = plots.sweep_figures(found)
    assert name == "ruin_map"
    assert np.asarray(ax.collections[0].get_array()) == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])
    in_line = swept({"a": [1.0, 2.0, 3.0, 4.0], "b": [2.0, 4.0, 6.0, 8.0]}, design="list")
    assert [name for name, _ in plots.sweep_figures(in_line)] == ["points"]


def test_parallel_coordinates_have_one_line_a_point_scaled_to_its_axes():
    ax = plots.parallel_points(swept({"a": [1.0, 3.0, 2.0], "b": [5.0, 6.0, 7.0], "c": [1.0, 1.0, 1.0]}))
    assert [list(line.get_ydata()) for line in ax.get_lines()] == [[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.5, 1.0, 0.0]]


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_a_tornado_has_the_strongest_input_on_top(method):
    first = (0.2, 0.05) if method == "sobol" else (None, None)
    effects = (Effect("vol", *first, 0.6, 0.1, 0.1), Effect("depth", *first, 0.3, 0.1, 0.1))
    ax = plots.tornado(Sensitivity(method, "log(reserve at 99 %)", 64, 0.95, 0.01, effects))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["vol", "depth"]
    assert ax.get_title(loc="left") == "vol moves the reserve most"
    assert [bar.get_width() for bar in ax.patches[:2]] == [0.6, 0.3]


def test_a_tornado_claims_no_order_that_its_intervals_do_not_show():
    effects = (Effect("vol", None, None, 0.6, 0.2, 0.1), Effect("depth", None, None, 0.3, 0.2, 0.1))
    ax = plots.tornado(Sensitivity("morris", "log(reserve at 99 %)", 64, 0.95, 0.01, effects))
    assert ax.get_title(loc="left") == "vol comes first, but intervals overlap"


def test_zipped_axes_are_one():
    assert [name for name, _ in plots.sweep_figures(swept({"a": [1.0, 2.0], "b": [3.0, 4.0]}, "zip"))] == ["reserve"]


@pytest.mark.parametrize(
    ("axes", "names"),
    [
        ({"a": [1.0, 2.0]}, ["reserve"]),
        ({"a": [1.0, 1.0, 2.0, 2.0], "b": [1.0, 2.0, 1.0, 2.0]}, ["ruin_map"]),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, ["points"]),
        ({"a": [1.0, 2.0], "b": ["x", "y"]}, []),
    ],
)
def test_a_sweep_gets_the_figures_that_fit_it(axes, names):
    assert [name for name, _ in plots.sweep_figures(swept(axes))] == names
