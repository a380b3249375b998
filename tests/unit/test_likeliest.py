"""The most likely ruin: by hand where its distance is known."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from stress.engines.population import draw_population
from stress.likeliest import likeliest, nearest
from stress.markets.base import Clock
from stress.markets.drivers import along
from stress.markets.gbm import Gbm
from stress.markets.kou import Kou
from stress.markets.merton import Merton
from stress.markets.volatility_clock import VolatilityClock
from stress.scenario import Scenario, ScenarioError

ROOT = Path(__file__).parents[2]
GAP = ROOT / "tests" / "oracles" / "d06_gap.toml"


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_beyond_a_plane_the_nearest_point_is_its_foot(dimension):
    normal = np.arange(1.0, dimension + 1)
    normal /= np.linalg.norm(normal)
    point, agreed = nearest(lambda x: x @ normal > 3.0, dimension, rng())
    assert np.linalg.norm(point) == pytest.approx(3.0, rel=0.02)
    assert point @ normal == pytest.approx(3.0, rel=0.02)
    assert agreed >= 1


def test_of_two_planes_the_nearer_one_is_found_from_many_starts():
    point, _ = nearest(lambda x: (x[:, 0] > 3.0) | (x[:, 1] < -2.5), 4, rng())
    assert np.linalg.norm(point) == pytest.approx(2.5, rel=0.02)
    assert point[1] == pytest.approx(-2.5, rel=0.02)


def test_where_nothing_ruins_there_is_no_point():
    assert nearest(lambda x: x[:, 0] > 9.0, 3, rng()) == (None, 0)


def test_the_likeliest_noise_of_a_given_sum_is_even():
    steps = along(np.array([[2.0, -1.0]]), np.array([0, 4, 5]))
    assert steps.tolist() == [[1.0, 1.0, 1.0, 1.0, -1.0]]


@pytest.mark.parametrize("market", [Gbm, Merton])
def test_usual_paths_of_a_driver_go_nowhere(market):
    clock = Clock(240, 60.0)
    for driver in market(price_usd=100.0, vol_annual=0.5).drivers(clock):
        path = driver.log_returns(np.zeros((1, driver.dimension)))
        assert path.shape == (1, 240)
        assert abs(path.sum()) < 0.01


def test_a_jump_of_the_clock_is_at_its_quantile_and_as_short_as_its_normal_says():
    market = VolatilityClock(price_usd=100.0)
    fall = next(d for d in market.drivers(Clock(240, 60.0)) if d.name == "jump, fall")
    found = fall.log_returns(np.array([[0.0, 9.0], [0.0, -9.0]]))
    beyond = 1 - 0.5 * (1 - (0.6 / 0.05) ** -3.0)
    assert found.sum(axis=1) == pytest.approx([-0.05 * beyond ** (-1 / 3)] * 2)
    assert np.count_nonzero(np.abs(found) > 1e-9, axis=1).tolist() == [5, 60]


def test_a_storm_is_as_wild_as_its_normals_say():
    market = VolatilityClock(
        price_usd=100.0, log_vol_sd=0.0, tail_index=200.0, vol_annual=0.876**0.5, jumps_per_year=0.0
    )
    (storm,) = market.drivers(Clock(600, 60.0))
    path = storm.log_returns(np.array([[5.0, *[0.0] * 8, -2.0, 1.0, *[0.0] * 6]]))[0]
    hour = math.sqrt(0.876 / 8760.0)  # 1 % an hour
    assert path[:60].sum() == pytest.approx(-2 * hour - 30 * hour**2 / 60, rel=1e-3)
    assert path[60:120].sum() == pytest.approx(hour, rel=0.02)
    assert not path[480:].any()
    assert storm.expected == 600 / 480


def distance(scenario):
    """Return how far away the first account's loss of the whole fund is, in standard deviations of a step, and one."""
    numbers = scenario.market.numbers(scenario.clock)
    row = draw_population(scenario, 0).accounts[0]
    bankruptcy = row["entry"] - row["collateral"] / row["qty"]
    edge = bankruptcy - scenario.fund_initial / row["qty"]
    return -(math.log(edge / scenario.price) - numbers["drift"]) / numbers["sd"], numbers["sd"]


@pytest.mark.parametrize("loss", [0.0, 200.0])
def test_d06_the_likeliest_ruin_of_one_account_watched_once(loss):
    # Ruin is (bankruptcy price - S) q > fund; S log-normal: beta is how many standard deviations that is away.
    scenario = Scenario.load(GAP).with_(**{"fund.initial_usd": loss, "run.horizon_hours": 24.0})
    found, (beta, _) = next(iter(likeliest(scenario))), distance(scenario)
    assert found.beta == pytest.approx(beta, rel=0.01)
    assert found.chance == pytest.approx(-math.expm1(-norm.sf(beta)), rel=0.1)


def test_a_jump_of_kou_is_at_the_quantile_of_its_side():
    market = Kou(price_usd=100.0, vol_annual=0.0, jump_up=0.02, jump_down=0.03, jump_down_share=0.6)
    clock = Clock(240, 60.0)
    noise, fall, rise = market.drivers(clock)
    still, z = noise.log_returns(np.zeros((1, noise.dimension))).sum(), 2.0
    point = np.append(np.zeros(noise.dimension), z)[None, :]
    exceeded = math.log(norm.sf(z))  # an exponential of mean m is beyond -m ln(chance) with this chance
    assert fall.log_returns(point).sum() - still == pytest.approx(0.03 * exceeded)
    assert rise.log_returns(point).sum() - still == pytest.approx(-0.02 * exceeded)
    assert fall.expected == pytest.approx(0.6 * 50.0 * 4.0 / 8760.0)
    assert (fall.name, rise.name) == ("jump, fall", "jump, rise")


def test_a_scripted_shock_is_on_the_way():
    scenario = Scenario.load(GAP).with_(**{"fund.initial_usd": 0.0, "run.horizon_hours": 24.0})
    beta, sd = distance(scenario)
    shock = {"at_hours": 0.0, "minutes": 60.0, "move": -0.02}
    found = next(iter(likeliest(scenario.with_(shock=[shock]))))
    assert found.beta == pytest.approx(beta + math.log1p(-0.02) / sd, rel=0.01)


def test_a_shock_that_ruins_by_itself_leaves_nothing_unusual():
    shock = {"at_hours": 0.0, "minutes": 60.0, "move": -0.5}
    changes = {"fund.initial_usd": 0.0, "run.horizon_hours": 24.0, "shock": [shock]}
    found = next(iter(likeliest(Scenario.load(GAP).with_(**changes))))
    assert (found.beta, found.chance, found.words) == (0.0, 1.0, "nothing unusual")


def test_a_path_between_marks_goes_straight():
    scenario = Scenario.load(ROOT / "configs" / "tiny.toml").with_(
        market={"kind": "gbm", "price_usd": 5e4, "vol_annual": 2.0}
    )
    plain, bridged = (next(iter(likeliest(s))) for s in (scenario, scenario.with_(**{"market.extremes": "bridge"})))
    assert bridged == plain


def test_a_whale_that_may_leave_does_so_at_the_beginning_or_not_at_all():
    changes = {"fund.initial_usd": 1.0, "population.1.exits_per_year": 2.0}
    scenario = Scenario.load(ROOT / "configs" / "whale.toml").plain(**changes)
    found = list(likeliest(scenario))
    stay, leave = (next(row for row in found if row.acting == who) for who in (None, "whale"))
    assert leave.beta <= stay.beta  # less margin below the same position
    assert leave.chance <= -math.expm1(-2.0 * scenario.run.horizon_hours / 8760.0)


def test_on_the_tiny_venue_jumps_are_the_likeliest_ruin():
    scenario = Scenario.load(ROOT / "configs" / "tiny.toml")
    found = {row.driver: row for row in likeliest(scenario)}
    assert set(found) == {"storm", "jump, fall", "jump, rise"}
    assert found["jump, fall"].beta < found["storm"].beta
    assert "a jump of -" in found["jump, fall"].words


def test_a_market_without_drivers_is_refused():
    scenario = Scenario.load(ROOT / "configs" / "tiny.toml").with_(market={"kind": "scripted", "price_usd": 5e4})
    with pytest.raises(ScenarioError, match="does not say what drives it"):
        list(likeliest(scenario))
