"""Exact results that the simulator must reproduce, through scenario files and the public API.

D01-D04, D06-D08, D19, D20, D26, D27, D29 and D31 of the project's list of oracles.  T2, for unbiased Monte Carlo:
within four of the run's own standard errors, which are at most 1 % of the value.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import stress
from stress.accounts import ACCOUNT, bankruptcy_price
from stress.engines.base import Job, Progress
from stress.exchange.margin import liquidation_prices

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"
ENGINES = ("reference", "loop", "ladder")
LONG, SHORT = (1.0, 50_000.0, 2_500.0), (-1.0, 50_000.0, 2_500.0)
SHORT_ACCOUNT = {"population.0.qty": -1.0, "population.0.name": "short"}


def load(name, **overrides):
    return stress.Scenario.load(HERE / f"{name}.toml", overrides=overrides)


@cache
def outcomes(name, engine="auto", **overrides):
    return stress.run(load(name, **overrides), engine=engine)


def ledger(scenario, engine):
    job = Job(scenario.with_(**{"run.engine": engine}), ledger=True)
    job.run(1, Progress())
    return job.results.liquidations()


def assert_t2(sample, value):
    error = sample.std() / math.sqrt(sample.size)
    assert error <= 0.01 * value
    assert abs(sample.mean() - value) <= 4 * error


def exactly(value):
    return pytest.approx(value, abs=1e-9, rel=0.0)


# D01: margin arithmetic.


@pytest.mark.parametrize(("account", "price"), [(LONG, 47_500.0), (SHORT, 52_500.0)])
def test_d01_bankruptcy_price(account, price):
    assert bankruptcy_price(*account, 0.0) == exactly(price)


@pytest.mark.parametrize(("account", "price"), [(LONG, 47_500.0 / 0.995), (SHORT, 52_500.0 / 1.005)])
def test_d01_liquidation_price(account, price):
    row = np.array([(*account, *([0] * 7))], dtype=ACCOUNT)
    assert liquidation_prices(row, load("one_account").tiers).item() == exactly(price)


@pytest.mark.parametrize(
    ("price", "liquidated"),
    [(47_738.6934674, 0), (47_738.6934672, 1), (52_238.8059700, 0), (52_238.8059702, 1)],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_d01_liquidation_happens_just_beyond_the_liquidation_price(price, liquidated, engine):
    side = SHORT_ACCOUNT if price > 50_000.0 else {}
    scenario = load("d01_margin", **{"shock.0.move": price / 50_000.0 - 1.0}, **side)
    assert stress.run(scenario, engine=engine).liquidated_accounts[0] == liquidated


# D03 and D04: one account under discrete monitoring.


def test_d03_probability_of_liquidation_under_hourly_checks():
    assert_t2(outcomes("one_account").liquidated_accounts, 0.229077926497)


def test_d03_probability_of_liquidation_under_checks_every_minute():
    assert_t2(outcomes("d03_minutes").liquidated_accounts, 0.26870086358)


def test_d03_a_risk_check_every_hour_of_minutes_is_an_hourly_check():
    run = outcomes("d03_minutes", **{"exchange.check_seconds": 3600.0})
    assert_t2(run.liquidated_accounts, 0.229077926497)


# D02 and D08: the same account under continuous monitoring, by the extremes between its marks.

BRIDGE = {"market.extremes": "bridge", "run.step_seconds": 1_200.0, "run.n_paths": 40_000}


def assert_probability(liquidated, value):
    assert abs(liquidated.mean() - value) <= 4 * math.sqrt(value * (1.0 - value) / liquidated.size)


@pytest.mark.parametrize(
    ("margin", "value"), [(2_500.0, 0.275320284798), (5_000.0, 0.0174043933449), (500.0, 0.906501143668)]
)
def test_d02_probability_of_liquidation_under_continuous_monitoring(margin, value):
    run = outcomes("one_account", **BRIDGE, **{"population.0.collateral_usd": margin})
    assert_probability(run.liquidated_accounts, value)


@pytest.mark.parametrize(("rate", "value"), [(3.0, 0.25584304008), (0.01, 0.26059805478)])
def test_d08_kous_first_passage(rate, value):
    jumps = {"jumps_per_year": rate, "jump_up": 0.02, "jump_down": 0.03, "jump_down_share": 0.5}
    drift = 0.1 + 0.5 * 0.2**2 + rate * (0.5 / 0.98 + 0.5 / 1.03 - 1.0)  # of the price, so that the log's is 0.1
    kou = {
        "kind": "kou",
        "price_usd": 50_000.0,
        "vol_annual": 0.2,
        "drift_annual": drift,
        "extremes": "bridge",
        **jumps,
    }
    margin = {"population.0.collateral_usd": round(50_000.0 * (math.exp(0.3) * 1.005 - 1.0))}
    size = {"run.horizon_hours": 8_760.0, "run.step_seconds": 28_800.0, "run.n_paths": 15_000}
    run = stress.run(load("one_account").with_(**{"market": kou, **SHORT_ACCOUNT, **margin, **size}))
    assert_probability(run.liquidated_accounts, value)


def test_d04_expected_bad_debt():
    assert_t2(outcomes("d04_fund").bad_debt, 17.8205342172)


def test_d04_expected_surplus():
    assert_t2(outcomes("d04_fund").surplus, 18.507649564)


def test_d04_expected_change_of_the_fund():
    change = outcomes("d04_fund").fund_end - 1.0e9
    assert abs(change.mean() - 0.687115346892) <= 4 * change.std() / math.sqrt(change.size)


def test_d04_the_fund_changes_by_surplus_less_bad_debt():
    run = outcomes("d04_fund")
    np.testing.assert_allclose(run.fund_end, 1.0e9 + run.surplus - run.bad_debt, rtol=1e-15)


@pytest.mark.parametrize(("side", "value"), [({}, 108.735281049), (SHORT_ACCOUNT, 129.198407547)])
def test_d06_gap_bad_debt_of_one_step(side, value):
    run = stress.run(load("d06_gap", **side))
    assert_t2(run.bad_debt, value)


def test_d07_gap_bad_debt_of_one_step_with_mertons_jumps():
    law = {"vol_annual": 0.8, "jumps_per_year": 100.0, "jump_mean": -0.01, "jump_sd": 0.04}
    run = stress.run(load("d06_gap").with_(market={"kind": "merton", "price_usd": 50_000.0, **law}))
    assert_t2(run.bad_debt, 169.200947176)


# D19: the default waterfall by hand.


@cache
def by_hand():
    return stress.InsuranceFundModel(load("d19_by_hand")).run_path()


def equity_of(name):
    model = by_hand()
    cohort = [c.name for c in model.fund_scenario.population].index(name)
    return sum(agent.equity for agent in model.agents if agent.cohort == cohort)


def maker_equity(state):
    return state.maker_collateral + state.maker_qty * (state.mark - state.funding) - state.maker_cost


@pytest.mark.parametrize(("name", "value"), [("A", 0.0), ("B", 10.0), ("C", 610.0)])
def test_d19_equity_of_traders(name, value):
    assert equity_of(name) == exactly(value)


def test_d19_only_the_bankrupt_account_is_liquidated():
    assert [row[3] for row in by_hand().ledger] == [0]


def test_d19_the_bankrupt_account_gets_nothing_back():
    assert by_hand().state.released == 0.0


def test_d19_the_fund_is_empty():
    assert by_hand().fund == exactly(0.0)


def test_d19_the_fund_pays_what_it_has():
    assert by_hand().state.bad_debt == exactly(20.0)


def test_d19_the_maker_keeps_its_equity():
    assert maker_equity(by_hand().state) == exactly(1_000.0)


def test_d19_units_sold_to_the_market():
    assert by_hand().state.maker_qty == exactly(20 / 3)


def test_d19_units_deleveraged():
    assert by_hand().state.deleveraged_notional / by_hand().state.mark == exactly(10 / 3)


def test_d19_the_winner_is_deleveraged_by_as_many_units():
    assert by_hand().accounts()["qty"][-1] == exactly(-15 + 10 / 3)


def test_d19_nothing_is_left_for_later_layers():
    assert (by_hand().state.socialized_loss, by_hand().state.unresolved_shortfall) == (0.0, 0.0)


def test_d19_money_is_conserved():
    total = sum(agent.equity for agent in by_hand().agents) + maker_equity(by_hand().state) + by_hand().fund
    assert total == exactly(1_620.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_d19_every_engine_exhausts_the_fund(engine):
    run = outcomes("d19_by_hand", engine)
    assert (run.fund_end[0], run.drawdown[0], run.ruin_step[0]) == (exactly(0.0), exactly(30.0), 30)


# The worked example of configs/article_example.toml: who pays the gap of 50,000, by order of the layers.

PAYERS = {
    ("fund", "adl", "socialize"): {"fund": 30_000.0, "units": 40.0, "winners": 0.0},
    ("adl", "fund", "socialize"): {"fund": 0.0, "units": 100.0, "winners": 0.0},
    ("socialize", "fund", "adl"): {"fund": 0.0, "units": 0.0, "winners": 50_000.0},
}


@cache
def article(order):
    overrides = {"layer": [{"kind": kind} for kind in order]}
    scenario = stress.Scenario.load(CONFIGS / "article_example.toml", overrides=overrides)
    return stress.InsuranceFundModel(scenario).run_path().state


@pytest.mark.parametrize(("order", "paid"), PAYERS.items())
def test_the_article_example_draws_on_the_fund_by_order(order, paid):
    assert article(order).bad_debt == pytest.approx(paid["fund"], abs=1e-3)  # units are rounded up to lots of 1e-8


@pytest.mark.parametrize(("order", "paid"), PAYERS.items())
def test_the_article_example_deleverages_by_order(order, paid):
    assert article(order).deleveraged_notional / article(order).mark == pytest.approx(paid["units"], abs=1e-7)


@pytest.mark.parametrize(("order", "paid"), PAYERS.items())
def test_the_article_example_charges_winners_by_order(order, paid):
    assert article(order).socialized_loss == pytest.approx(paid["winners"], abs=1e-6)


# D20: conservation.

MONTH = 720.0  # hours: enough of a year's configuration
SHIPPED = sorted(path.stem for path in CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_d20_books_balance_on_every_path_of_every_config(name):
    scenario = stress.Scenario.load(CONFIGS / f"{name}.toml", overrides={"run.redraw_every": 10})
    if scenario.run.horizon_hours > MONTH:
        scenario = scenario.with_(**{"run.horizon_hours": MONTH})
    run = stress.run(scenario, n_paths=min(100, scenario.run.n_paths))
    assert run.conservation_error.max() <= 1e-9


def count_money(model):
    """Return all money in the system, counted anew at the mark, less what was paid in."""
    state = model.state
    price = state.mark - state.funding
    traders = sum(a.collateral + a.qty * (price - a.entry) for a in model.agents)
    inventory = state.inventory * price - state.inventory_cost
    fund = state.surplus - state.bad_debt + state.inventory_pnl + inventory
    return traders + maker_equity(state) + state.released + fund - state.unresolved_shortfall - state.deposits


def count_positions(model):
    return sum(agent.qty for agent in model.agents) + model.state.maker_qty + model.state.inventory


@pytest.fixture(scope="module", params=["tiny", "textbook_waterfall", "article_example"])
def steps(request):
    """Count money, positions and fund after every step of a path that ruins the fund."""
    scenario = stress.Scenario.load(CONFIGS / f"{request.param}.toml")
    run = stress.run(scenario, n_paths=min(60, scenario.run.n_paths), engine="loop")
    ruined = np.flatnonzero(run.ruin_step >= 0)[:3]
    rows = []
    for path in ruined:
        model = stress.InsuranceFundModel(scenario, path=int(path), collect=False)
        while model.running:
            model.step()
            rows.append((count_money(model), count_positions(model), model.fund, model.state.deposits))
    return np.array(rows).T


def test_d20_money_is_conserved_at_every_step(steps):
    error, _, _, deposits = steps
    assert np.abs(error / deposits).max() <= 1e-9


def test_d20_positions_add_up_to_zero_at_every_step(steps):
    _, positions, _, _ = steps
    assert np.abs(positions).max() <= 1e-9


def test_d20_the_fund_is_never_below_zero_after_the_waterfall(steps):
    _, _, fund, deposits = steps
    assert (fund / deposits).min() >= -1e-9


def test_d20_funding_payments_add_up_to_zero():
    overrides = {"market": {"kind": "scripted", "price_usd": 50_000.0}, "run.n_paths": 1, "run.redraw_every": 1}
    overrides |= {"population.0.leverage_median": 2.0, "population.1.leverage_median": 2.0}
    overrides |= {"population.2.leverage": 2.0, "funding.mean_rate": 1e-3}
    model = stress.InsuranceFundModel(stress.Scenario.load(CONFIGS / "tiny.toml", overrides=overrides))
    before = np.array([agent.equity for agent in model.agents])
    made = maker_equity(model.state)
    model.run_path()
    paid = before - [agent.equity for agent in model.agents]
    assert np.abs(paid).sum() > 1_000.0
    assert paid.sum() + made - maker_equity(model.state) == pytest.approx(0.0, abs=1e-6)


# D26: amplification by a uniform ladder.

FALL, START, RATE = -math.log1p(-0.1), 1_024.0, 0.001
LOT = 2.0**-10  # the grid of exchange.lot = 1e-3


def rung(i, start, qty):
    """Return an account that is liquidated once the log price has fallen by `start`."""
    collateral = qty * (START - START * math.exp(-start) * (1.0 - RATE))
    return {"kind": "account", "name": str(i), "qty": qty, "entry_usd": START, "collateral_usd": collateral}


def uniform_ladder(edges, density):
    """Return accounts with `density` units per unit of log price; each is hit at the start of its interval.

    An interval that acts at its start never stalls the fall, and one that ends before the fall's end does not
    prolong it: only the intervals at the end must be fine.
    """
    units = np.round(np.array(edges) * density / LOT) * LOT
    starts = np.maximum(units[:-1] / density, 1e-3)  # nobody is liquidatable at the start
    return [rung(i, start, qty) for i, (start, qty) in enumerate(zip(starts, np.diff(units), strict=True))]


def edges_around(end):
    """Return edges whose intervals shrink with the distance to `end`, 5e-8 of it there, and go on behind it."""
    coarse = [0.0]
    while end - coarse[-1] > 1e-6 * end:
        coarse.append(coarse[-1] + 0.03 * (end - coarse[-1]))
    fine = np.arange(coarse[-1], end * (1.0 + 1e-6), 5e-8 * end)[1:]
    return [*coarse, *fine, *np.linspace(1.01 * end, 1.2 * end, 20)]


def amplifying(ratio, edges, density, **overrides):
    ladder = {"population": uniform_ladder(edges, density)}
    ladder["liquidity.impact.log_price_per_daily_volume"] = ratio / density  # one unit of volume a day
    return load("d26_ladder", **ladder, **overrides)


@cache
def amplified(ratio):
    end = FALL / (1.0 - ratio)
    return amplifying(ratio, edges_around(end), 1.0e7 / end)


@pytest.mark.parametrize(("ratio", "total"), [(0.2, 1.25), (0.5, 2.0), (0.8, 5.0)])
@pytest.mark.parametrize("engine", ENGINES)
def test_d26_a_ladder_amplifies_the_fall(ratio, total, engine):
    run = stress.run(amplified(ratio), engine=engine)
    assert math.log(START / run.price_min[0]) / FALL == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("engine", ENGINES)
def test_d26_quantity_that_is_liquidated(ratio, engine):
    assert ledger(amplified(ratio), engine)["qty"].sum() == pytest.approx(1.0e7, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_d26_the_fall_takes_a_round_for_every_power_of_the_ratio(ratio):
    rounds = stress.run(amplified(ratio), engine="ladder").rounds_max[0]
    assert rounds >= math.log(1e-6) / math.log(ratio) * 0.5


RUNAWAY = np.linspace(0.0, 0.7, 200)


@pytest.mark.parametrize("ratio", [1.0, 1.25])
@pytest.mark.parametrize("engine", ENGINES)
def test_d26_a_ratio_of_one_or_more_runs_to_the_end_of_the_ladder(ratio, engine):
    scenario = amplifying(ratio, RUNAWAY, 1.0e6)
    assert stress.run(scenario, engine=engine).liquidated_accounts[0] == RUNAWAY.size - 1


@pytest.mark.parametrize("engine", ENGINES)
def test_d26_a_runaway_is_flagged_by_the_largest_number_of_rounds(engine):
    scenario = amplifying(1.25, RUNAWAY, 1.0e6, **{"run.max_rounds": 3})
    assert stress.run(scenario, engine=engine).rounds_max[0] == 3


# D27: one large order under the square-root law.

SLICES = {1: 0.2, 10: 0.0104225, 100: 0.00104225}  # share of a day's volume that a step may trade


@pytest.fixture(scope="module", params=SLICES)
def order(request):
    return outcomes("d27_one_order", **{"exchange.disposal.participation": SLICES[request.param]})


def test_d27_loss_of_the_fund(order):
    assert order.fund_end[0] - 1.0e9 == pytest.approx(-2_691_831.3247, rel=1e-9, abs=5e-5)


def test_d27_mean_cost(order):
    assert order.drawdown[0] / 416.9e6 == pytest.approx(0.006456779383, rel=1e-9)


def test_d27_final_impact(order):
    assert math.log(100.0 / order.price_min[0]) == pytest.approx(0.009685169074, rel=1e-9)


def test_d27_the_whole_order_is_done(order):
    assert order.fund_cash_end[0] == pytest.approx(order.fund_end[0], rel=1e-12)


@pytest.mark.parametrize("slices", SLICES)
def test_d27_the_order_takes_as_many_steps_as_slices(slices):
    scenario = load("d27_one_order", **{"exchange.disposal.participation": SLICES[slices]})
    model = stress.InsuranceFundModel(scenario).run_path()
    held = model.datacollector.get_model_vars_dataframe()["inventory"]
    assert (held > 1e-3).sum() == slices - 1


# D29: deleveraging never creates a loser.


def adl_model(path=0, **overrides):
    return stress.InsuranceFundModel(load("d29_adl", **overrides), path=path, collect=False)


def through_the_gap(model):
    """Run to the gap; return the accounts before and the liquidated and surviving ones after it."""
    while model.clock < 60:
        model.step()
    before = {agent.account: (agent.qty, agent.entry, agent.collateral) for agent in model.agents}
    model.step()
    gone = [row[3] for row in model.ledger]
    return before, [before[i] for i in gone], {agent.account: agent for agent in model.agents}


def shortfalls(model, gone):
    mark, funding = model.state.mark, model.state.funding
    worth = np.array([w + q * (mark - e - funding) for q, e, w in gone])
    return np.maximum(0.0, -worth)


PATHS = pytest.mark.parametrize("path", [0, 5, 9])  # of three populations


@PATHS
@pytest.mark.parametrize("capacity", [0.2, 1.0])
def test_d29_no_account_has_negative_equity_after_the_waterfall(path, capacity):
    model = adl_model(path, **{"layer.0.capacity": capacity, "fund.initial_usd": 50_000.0})
    lowest = 0.0
    while model.running:
        model.step()
        lowest = min(lowest, maker_equity(model.state), *(agent.equity for agent in model.agents))
    assert lowest >= -1e-9 * model.book.open_interest


@PATHS
def test_d29_deleveraged_longs_equal_deleveraged_shorts(path):
    model = adl_model(path, **{"population.3.deleverageable": False})
    before, _, alive = through_the_gap(model)
    given = sum(abs(before[i][0]) - abs(agent.qty) for i, agent in alive.items())
    assert given == pytest.approx(model.state.deleveraged_notional / model.state.mark, rel=1e-12)


@PATHS
def test_d29_no_winner_is_turned_or_enlarged(path):
    before, _, alive = through_the_gap(adl_model(path))
    assert all(0.0 <= agent.qty / before[i][0] <= 1.0 for i, agent in alive.items() if agent.qty != before[i][0])


@PATHS
def test_d29_only_winners_are_deleveraged(path):
    model = adl_model(path)
    before, _, alive = through_the_gap(model)
    hit = [before[i] for i, agent in alive.items() if agent.qty != before[i][0]]
    assert hit
    assert all(q * (model.state.mark - e - model.state.funding) > 0.0 for q, e, _ in hit)


@PATHS
def test_d29_counterparties_forgo_the_distance_to_the_bankruptcy_price(path):
    model = adl_model(path)
    before, gone, alive = through_the_gap(model)
    price = model.state.mark - model.state.funding
    untouched = sum(before[i][2] + before[i][0] * (price - before[i][1]) for i in alive)
    makers = model.population.maker_collateral + model.population.maker_qty * (price - model.population.price)
    forgone = untouched + makers - sum(agent.equity for agent in alive.values()) - maker_equity(model.state)
    owed = shortfalls(model, gone).sum()
    assert owed > 10_000.0
    assert forgone == pytest.approx(owed, rel=1e-9)


@PATHS
def test_d29_the_fund_pays_nothing_for_what_is_deleveraged(path):
    model = adl_model(path)
    _, gone, _ = through_the_gap(model)
    assert shortfalls(model, gone).sum() > 10_000.0
    assert model.state.bad_debt == 0.0


@PATHS
def test_d29_with_a_fifth_of_capacity_the_fund_pays_four_fifths(path):
    model = adl_model(path, **{"layer.0.capacity": 0.2, "fund.initial_usd": 1.0e9})
    _, gone, _ = through_the_gap(model)
    assert model.state.bad_debt == pytest.approx(0.8 * shortfalls(model, gone).sum(), rel=1e-3)  # whole lots


@pytest.mark.parametrize("ranking", ["profit_leverage", "pro_rata"])
def test_d29_where_nobody_has_won_the_shortfall_goes_on(ranking):
    queue = {"layer.1.ranking": ranking, "population.3.deleverageable": False, "population.2.entry_usd": 91.0}
    state = stress.InsuranceFundModel(load("d19_by_hand", **queue)).run_path().state
    assert (state.deleveraged_notional, state.unresolved_shortfall) == (0.0, exactly(10.0))


@pytest.mark.parametrize("engine", ENGINES)
def test_d29_adl_first_and_without_limit_never_draws_on_the_fund(engine):
    run = outcomes("d29_adl", engine)
    assert (run.bad_debt.max(), run.drawdown.max(), run.drawdown_gross.max()) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_d29_adl_first_with_a_fifth_of_capacity_draws_on_the_fund(engine):
    assert outcomes("d29_adl", engine, **{"layer.0.capacity": 0.2}).drawdown.min() > 0.0


# D31: nothing happens when nothing can.


@pytest.fixture(scope="module", params=["d31_unlevered", "d31_still", "d31_nearly_empty"])
def quiet(request):
    return outcomes(request.param)


def test_d31_nobody_is_liquidated(quiet):
    assert quiet.liquidated_accounts.max() == 0


def test_d31_there_is_no_drawdown(quiet):
    assert (quiet.drawdown.max(), quiet.drawdown_gross.max()) == (0.0, 0.0)


def test_d31_the_fund_changes_by_fee_income_only(quiet):
    income = 400.0e6 * 7e-4 * 0.1 * 4 / 24  # volume x fee rate x share x days
    np.testing.assert_allclose(quiet.fund_end - 150_000.0, income, rtol=1e-12)


def test_d31_the_interval_of_ruin_is_one_sided(quiet):
    ruin = stress.summarize(quiet).ruin_probability
    assert (ruin.value, ruin.low, ruin.high) == (0.0, 0.0, pytest.approx(1 - 0.05 ** (1 / 400), rel=1e-12))


def test_d31_the_price_did_move_in_two_of_them():
    moved = [outcomes(name).price_min.min() < 49_000.0 for name in ("d31_unlevered", "d31_still", "d31_nearly_empty")]
    assert moved == [True, False, True]
