"""The parameter interval: what is drawn, what is run, and how much of the spread is luck."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import stress
from stress import draws, toml
from stress.overlays import Uncertain
from stress.scenario import Scenario, ScenarioError

TINY = toml.read(Path(__file__).parents[2] / "configs" / "tiny.toml") | {"reserve": {"levels": [0.5, 0.9]}}
HEAT = {"name": "market.vol_annual", "low": 1.0, "high": 3.0, "source": "illustrative"}
FALL = 0.3


def scenario(*ranges, **tables):
    return Scenario.from_tables({**TINY, "uncertain": list(ranges), **tables})


def certain_loss():
    """One long of half the open interest meets a fall of 30 %: nothing is random but its leverage."""
    whale = {"kind": "whale", "name": "whale", "share": 1.0, "side": "long", "leverage": 10.0}
    maker = {"kind": "maker", "name": "makers", "collateral_usd": 1e9}
    return scenario(
        {"name": "population.0.leverage", "low": 5.0, "high": 15.0, "source": "illustrative"},
        market={"kind": "volatility_clock", "price_usd": 50_000.0, "vol_annual": 0.0, "jumps_per_year": 0.0},
        liquidity={
            **TINY["liquidity"],
            "volume_usd_per_day": 1e14,
            "impact": {"kind": "square_root", "prefactor": 1e-9},
        },
        exchange={**TINY["exchange"], "open_interest_usd": 1e6},
        funding={"mean_rate": 0.0, "sd_rate": 0.0, "interval_hours": 1.0},
        population=[whale, maker],
        shock=[{"at_hours": 1.0, "move": -FALL}],
    )


@pytest.fixture(scope="module")
def known():
    return stress.uncertainty(certain_loss(), draws=40, n_paths=200)


def test_the_reserve_of_a_draw_is_what_its_parameter_says(known):
    leverage = known.draws.parameters["population.0.leverage"]
    owed = 1e6 * (FALL - 1.0 / leverage)
    assert known.draws.reserves[:, 0] == pytest.approx(owed, rel=1e-3)


def test_the_interval_holds_the_central_draws(known):
    found, reserves = known.interval.reserve(0.9), known.draws.reserves[:, 1]
    assert (found.low, found.median, found.high) == pytest.approx(np.quantile(reserves, [0.025, 0.5, 0.975]))


def test_the_reserve_follows_its_only_parameter(known):
    assert known.interval.drivers == (stress.summary.Driver("population.0.leverage", 5.0, 15.0, 1.0),)


def test_the_base_is_the_scenario_itself(known):
    assert known.base.reserves[0, 0] == pytest.approx(1e6 * (FALL - 0.1), rel=1e-3)


def test_without_chance_the_error_is_nothing_and_the_goal_is_met(known):
    assert (known.interval.error_share, known.goal_met) == (0.0, True)


def test_fewer_than_200_draws_are_not_for_quotation(known):
    assert not known.quotable
    assert "Not for quotation: 40 draws are fewer than 200." in str(known)


def test_the_interval_belongs_to_the_exact_configuration(known):
    assert known.interval.config_sha256 == certain_loss().sha256


def test_paths_are_added_while_the_error_is_above_the_goal():
    found = stress.uncertainty(scenario(HEAT), draws=3, n_paths=50, most_paths=200)
    assert (found.interval.n_paths, found.goal_met) == (200, False)


def test_added_paths_are_those_of_one_longer_run():
    added = stress.uncertainty(scenario(HEAT), draws=3, n_paths=50, most_paths=100)
    alone = scenario().with_(**{"run.redraw_every": 2})
    assert added.base.reserves[0, 1] == stress.summarize(stress.run(alone, 100)).reserve(0.9).value


def test_results_do_not_depend_on_threads():
    one, two = (stress.uncertainty(scenario(HEAT), draws=4, n_paths=50, threads=n) for n in (1, 2))
    assert one.to_dict() == two.to_dict()


def test_results_do_not_depend_on_the_executor():
    one = stress.uncertainty(scenario(HEAT), draws=4, n_paths=50)
    with ThreadPoolExecutor(3) as pool:
        assert stress.uncertainty(scenario(HEAT), draws=4, n_paths=50, executor=pool).to_dict() == one.to_dict()
    tables = json.dumps(scenario(HEAT).tables())
    task = pickle.loads(pickle.dumps(draws.DrawTask(2, tables, {"market.vol_annual": 2.0}, 2, 6, 50)))
    assert draws.solve_draw(task)["drawdown"].shape == (44,)


def test_a_draw_that_fails_at_work_is_named(monkeypatch):
    bad = {"point": 1, "status": "failed", "error": "no such thing"}
    monkeypatch.setattr(draws, "solve_draw", lambda task: bad)
    with pytest.raises(ScenarioError, match=r"^draw 1 \(market.vol_annual = .*\): no such thing$"):
        stress.uncertainty(scenario(HEAT), draws=3, n_paths=50)


def test_where_every_draw_is_kept_nobody_is_hired():
    kept = {}
    found = stress.uncertainty(scenario(HEAT), draws=2, n_paths=50, most_paths=50, kept=kept)
    nowhere = {"executor": "dask", "scheduler": "tcp://127.0.0.1:1"}
    again = stress.uncertainty(scenario(HEAT), draws=2, n_paths=50, most_paths=50, kept=kept, **nowhere)
    assert again.to_dict() == found.to_dict()


def test_kept_draws_go_on_to_the_same_result():
    class Stops(dict):
        def __setitem__(self, draw, drawdown):
            if len(self) == 2:
                raise KeyboardInterrupt
            super().__setitem__(draw, drawdown)

    kept = Stops()
    with pytest.raises(KeyboardInterrupt):
        stress.uncertainty(scenario(HEAT), draws=4, n_paths=50, kept=kept)
    assert len(kept) == 2
    resumed = stress.uncertainty(scenario(HEAT), draws=4, n_paths=50, kept=dict(kept))
    assert resumed.to_dict() == stress.uncertainty(scenario(HEAT), draws=4, n_paths=50).to_dict()


def test_a_draw_that_is_no_scenario_is_named_with_its_values():
    first, second, *others = TINY["population"]
    people = [first, {**second, "long_share": 0.45}, *others]  # 95.5 % of the long side
    ends = {"population.0.long_share": (0.50, 0.55), "population.1.long_share": (0.45, 0.50)}
    shares = [{**HEAT, "name": name, "low": low, "high": high} for name, (low, high) in ends.items()]
    with pytest.raises(ScenarioError, match=r"^draw \d+ \(population.0.long_share = 0\.\d+, .*long shares .* above 1"):
        stress.uncertainty(scenario(*shares, population=people), draws=20, n_paths=10)


def test_a_scenario_without_ranges_says_so():
    with pytest.raises(ScenarioError, match=r"no \[\[uncertain\]\] table"):
        stress.uncertainty(scenario())


def test_draws_depend_on_the_seed_alone():
    ranges = scenario(HEAT).uncertain
    first, again, other = (draws.draw_parameters(ranges, 8, seed)["market.vol_annual"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_stratum_of_a_range_has_one_draw():
    values = draws.draw_parameters(scenario(HEAT).uncertain, 10, 1)["market.vol_annual"]
    assert sorted(((values - 1.0) / 0.2).astype(int)) == list(range(10))


@pytest.mark.parametrize(
    ("law", "at", "quantile"),
    [("uniform", 0.5, 5.05), ("log_uniform", 0.5, 1.0), ("log_normal", 0.5, 1.0), ("log_normal", 0.975, 10.0)],
)
def test_the_quantiles_of_each_law(law, at, quantile):
    row = Uncertain(name="x", low=0.1, high=10.0, law=law, source="illustrative")
    assert draws.law_of(row).ppf(at) == pytest.approx(quantile)
