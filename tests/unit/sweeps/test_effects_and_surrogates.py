"""Sobol indices and elementary effects of functions whose own are known, and a map of a function that is smooth."""

import math

import numpy as np
import pyarrow as pa
import pytest

from stress.scenario import ScenarioError
from stress.sweeps.axes import Axis
from stress.sweeps.designs import Design, LatinHypercube
from stress.sweeps.effects import sensitivity
from stress.sweeps.result import Sweep
from stress.sweeps.surrogates import surrogate

PI = math.pi
ISHIGAMI = tuple(Axis(name=name, low=-PI, high=PI) for name in ("x1", "x2", "x3"))


def ishigami(x1, x2, x3):
    """Return sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 (Ishigami & Homma 1990)."""
    return np.sin(x1) + 7.0 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


def swept(axes, design, function, **damage):
    """Return a sweep whose log(reserve) is a function of its axes."""
    rows = design.rows(axes, 7)
    columns = dict(zip((axis.column for axis in axes), np.array(rows, float).T, strict=True))
    n = len(rows)
    reserve = np.exp(function(*columns.values()))
    table = {"point": np.arange(n), "status": ["done"] * n, "error": [""] * n, **columns, "reserve_0.99": reserve}
    table |= {"log_error_0.99": np.full(n, 0.01)} | damage
    about = {"design": design.model_dump(mode="json"), "ranges": [axis.model_dump() for axis in axes]}
    return Sweep(pa.table(table), tuple(columns), about | {"levels": [0.99], "n_points": n})


def needs(package, extra):
    pytest.importorskip(package, reason=f"the extra {extra!r} is not installed")


def test_sobol_indices_of_the_ishigami_function_lie_in_their_intervals():
    """V = 1/2 + a^2/8 + b pi^4/5 + b^2 pi^8/18; V1 = (1 + b pi^4/5)^2 / 2, V2 = a^2/8, V13 = 8 b^2 pi^8/225."""
    needs("SALib", "sensitivity")
    a, b = 7.0, 0.1
    v1, v2, v13 = 0.5 * (1 + b * PI**4 / 5) ** 2, a * a / 8, 8 * b * b * PI**8 / 225
    v = v1 + v2 + v13
    expected = {"x1": (v1 / v, (v1 + v13) / v), "x2": (v2 / v, v2 / v), "x3": (0.0, v13 / v)}
    assert expected["x1"] == pytest.approx((0.3139, 0.5576), abs=1e-4)
    found = sensitivity(swept(ISHIGAMI, Design.choose({"kind": "saltelli", "base": 1024}), ishigami))
    assert [effect.name for effect in found.effects] == ["x1", "x2", "x3"]
    for effect in found.effects:
        first, total = expected[effect.name]
        assert abs(effect.first - first) < 1.5 * effect.first_error < 0.15
        assert abs(effect.total - total) < 1.5 * effect.total_error < 0.15
    assert found.noise_share == pytest.approx(1e-4 / v, rel=0.05)


def test_elementary_effects_of_a_linear_function_are_its_slopes_over_the_ranges():
    """y = 3 x1 - log x2 over 0..2 and 1..e: the effects over the whole range are 6 and 1, without spread."""
    needs("SALib", "sensitivity")
    axes = (Axis(name="x1", low=0.0, high=2.0), Axis(name="x2", low=1.0, high=math.e, scale="log"))
    sweep = swept(axes, Design.choose({"kind": "morris", "trajectories": 6}), lambda x, y: 3.0 * x - np.log(y))
    found = sensitivity(sweep, "morris")
    assert [(effect.name, effect.total, effect.spread) for effect in found.effects] == [
        ("x1", pytest.approx(6.0), pytest.approx(0.0, abs=1e-12)),
        ("x2", pytest.approx(1.0), pytest.approx(0.0, abs=1e-12)),
    ]
    assert "mu*" in str(found)
    assert '"schema": "fundstress.sensitivity/1"' in found.to_json()


def test_a_design_that_does_not_fit_and_points_without_answer_are_one_line():
    needs("SALib", "sensitivity")
    design = Design.choose({"kind": "saltelli", "base": 2})
    n = len(design.rows(ISHIGAMI, 7))
    hole, zero = np.ones(n), np.ones(n)
    hole[3], zero[5] = np.nan, 0.0
    failed = ["done"] * (n - 1) + ["failed"]
    wrong = {
        "the design of this sweep is 'latin_hypercube'; it needs 'saltelli' or 'morris'": (
            LatinHypercube(points=8),
            {},
        ),
        "1 of 10 points refused this level (the first is point 3)": (design, {"reserve_0.99": hole}),
        "1 of 10 points need no reserve (the first is point 5)": (design, {"reserve_0.99": zero}),
        "1 of 10 points failed (the first is point 9)": (design, {"status": failed}),
    }
    for said, (chosen, damage) in wrong.items():
        with pytest.raises(ScenarioError) as error:
            sensitivity(swept(ISHIGAMI, chosen, ishigami, **damage), level=0.99)
        assert said in str(error.value)
    with pytest.raises(ScenarioError, match=r"--level 0.5: not of this sweep, known: 0.99"):
        sensitivity(swept(ISHIGAMI, design, ishigami), level=0.5)
    with pytest.raises(ScenarioError, match="--method efast: unknown"):
        sensitivity(swept(ISHIGAMI, design, ishigami), "efast")


@pytest.mark.parametrize(("kind", "most"), [("gaussian_process", 0.02), ("boosted_trees", 0.4)])
def test_a_surrogate_says_how_wrong_it_is_where_it_has_not_looked(kind, most):
    needs("sklearn", "surrogate")
    axes = (Axis(name="x1", low=0.0, high=2.0), Axis(name="x2", low=1.0, high=100.0, scale="log"))
    sweep = swept(axes, LatinHypercube(points=100), lambda x, y: np.sin(x) + 0.5 * np.log(y))
    found = surrogate(sweep, kind)
    assert found.error < most
    assert found.explained > 0.8
    x, y = np.array([0.3, 1.1, 1.7]), np.array([3.0, 20.0, 70.0])
    missed = np.log(found(x1=x, x2=y)) - np.sin(x) - 0.5 * np.log(y)
    assert np.sqrt(np.mean(missed**2)) < 2.0 * found.error + 1e-3
    assert str(found).endswith("an interpolation, not a simulation")


def test_a_surrogate_of_too_little_or_of_unknown_axes_is_one_line():
    needs("sklearn", "surrogate")
    with pytest.raises(ScenarioError, match="10 points are too few, it needs 20"):
        surrogate(swept(ISHIGAMI, LatinHypercube(points=10), ishigami))
    found = surrogate(swept(ISHIGAMI, LatinHypercube(points=40), ishigami), "boosted_trees")
    with pytest.raises(ScenarioError, match="unknown axis 'x4'"):
        found(x1=0.0, x2=0.0, x4=0.0)
    with pytest.raises(ScenarioError, match="axis 'x3' is missing"):
        found(x1=0.0, x2=0.0)
