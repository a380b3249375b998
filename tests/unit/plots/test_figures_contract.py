"""What every figure must do, whatever it shows."""

import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stress import plots
from stress.outcomes import Outcomes
from stress.summary import CohortShares, ModelRisk, Variant, outcomes_from_increments, summarize
from stress.summary.notation import Money


def outcomes():
    rng = np.random.default_rng(1)
    loss = np.where(rng.random(4000) < 0.6, 0.0, 5e6 * rng.pareto(1.9, 4000))
    return outcomes_from_increments(loss[:, np.newaxis], fund_initial=6e7, populations=np.arange(4000) // 40)


def trace():
    rng = np.random.default_rng(2)
    steps = rng.normal(5e4, 1e6, (500, 48)) - 4e7 * (rng.random((500, 48)) < 0.0005)
    fund = 6e7 + np.column_stack((np.zeros(500), np.cumsum(steps, axis=1)))
    worst = fund[np.argsort(fund.min(axis=1))[:5]]
    return SimpleNamespace(hours=np.arange(49.0), fund=fund, worst=worst, fund_initial=6e7, label="illustrative")


def book():
    rng = np.random.default_rng(3)
    move = np.where(rng.random(2000) < 0.5, -1, 1) * np.clip(rng.lognormal(-2.5, 0.8, 2000), 0.005, 0.98)
    return SimpleNamespace(move=move, notional=rng.pareto(2, 2000) * 1e6, open_interest=1e9)


def points():
    return [
        SimpleNamespace(mean_leverage=x, level=p, value=v * x * 1e6, low=v * x * 8e5, high=v * x * 1.3e6)
        for x in (3, 8, 20)
        for p, v in ((0.99, 2.0), (0.995, 2.1), (0.999, 5.0))
    ]


def draws():
    rng = np.random.default_rng(4)
    names = ("market.vol_annual", "liquidity.volume_usd_per_day", "population.3.share")
    drivers = [SimpleNamespace(name=name, rank_correlation=x) for name, x in zip(names, (0.8, -0.5, 0.1), strict=True)]
    reserves = 2e7 * rng.lognormal(0.0, 0.7, (200, 2))
    low, high = np.quantile(reserves[:, 1], [0.025, 0.975])
    spread = SimpleNamespace(low=low, high=high)
    interval = SimpleNamespace(drivers=drivers, n_paths=20_000, confidence=0.95, reserve=lambda level: spread)
    table = SimpleNamespace(reserves=reserves, levels=(0.99, 0.999), usable=[0, 1])
    return SimpleNamespace(interval=interval, draws=table, base=SimpleNamespace(reserves=np.array([[1e7, 2e7]])))


def cells():
    ratios = ((10, 24, 0.027, 0.9), (20, 24, 0.139, 1.0), (50, 4, 0.17, 1.1))
    return [
        SimpleNamespace(side=side, leverage=lev, hours=h, history=share, model=share * ratio)
        for side in ("long", "short")
        for lev, h, share, ratio in ratios
    ]


def risk():
    rows = [
        Variant(axis, name, 1e-3, x * 3e7, x * 2.5e7, x * 3.6e7, x)
        for axis, name, x in (("cap", "5 %", 1.6), ("cap", "20 %", 0.6), ("regime", "stressed", 2.2))
    ]
    return ModelRisk(0.995, 72.0, 10_000, Variant("scenario", "s", 1e-3, 3e7, 2.6e7, 3.4e7, 1.0), tuple(rows))


def comparison():
    def row(name, x):
        reserves = tuple(
            SimpleNamespace(value=x * v, low=0.8 * x * v, high=1.3 * x * v, reason=None) for v in (2e7, 3e7, 9e7)
        )
        payers = {"fund": x * 2e5, "winners, deleveraged": 4e5 / x, "nobody": 0.0}
        return SimpleNamespace(name=name, reserves=reserves, payers=payers)

    rows = tuple(row(name, x) for name, x in (("binance_usdm", 1.0), ("bitmex_xbtusd", 0.6), ("hyperliquid", 1.4)))
    return SimpleNamespace(
        scenario="example",
        n_paths=10_000,
        horizon_hours=72.0,
        money=Money(),
        fund_initial=6e7,
        open_interest=2e9,
        confidence=0.95,
        levels=(0.99, 0.995, 0.999),
        rulebooks=rows,
    )


def crowd():
    rng = np.random.default_rng(5)
    return [
        SimpleNamespace(name=name, leverage=rng.lognormal(np.log(median), 0.5, 900), notional=rng.pareto(1.1, 900) + 1)
        for name, median in (("cross", 3.0), ("isolated", 12.0), ("whale", 10.0))
    ]


def sizes():
    return 1e4 * (np.random.default_rng(6).pareto(1.05, 5_000) + 1.0)


def likeness():
    rng = np.random.default_rng(7)
    lags = np.arange(1, 100) / 2.0
    return SimpleNamespace(
        label="garch",
        bar="30 minutes",
        history=np.sort(0.004 * rng.standard_t(3, 4_000)),
        model=np.sort(0.004 * rng.standard_t(4, 9_000)),
        lags=lags,
        memory_history=0.3 * np.exp(-lags / 30),
        memory_model=0.25 * np.exp(-lags / 20),
    )


def summary():
    return summarize(outcomes())


def summaries():
    calm = outcomes()
    facts = replace(calm.facts, horizon_hours=8760.0)
    return [summary(), summarize(Outcomes({**calm.columns, "drawdown": 9 * calm.drawdown}, facts))]


def shares():
    return CohortShares(0.99, 40, ("isolated", "whale", "makers"), (0.7, 0.4, -0.1), (0.05, 0.1, 0.02))


DATA = {
    plots.who_paid: summary,
    plots.attribution: shares,
    plots.reserve_by_horizon: summaries,
    plots.return_quantiles: likeness,
    plots.memory_of_moves: likeness,
    plots.leverage_by_cohort: crowd,
    plots.size_survival: sizes,
    plots.compared_reserves: comparison,
    plots.who_pays: comparison,
    plots.barrier_hits: cells,
    plots.model_risk: risk,
    plots.ruin_curve: outcomes,
    plots.loss_histogram: outcomes,
    plots.tail_fit: outcomes,
    plots.mean_excess: outcomes,
    plots.fund_fan: trace,
    plots.liquidation_map: book,
    plots.reserve_by_leverage: points,
    plots.parameter_interval: draws,
}


@pytest.fixture(params=DATA, ids=lambda figure: figure.__name__)
def figure(request):
    return request.param


@pytest.fixture
def ax(figure):
    return figure(DATA[figure]())


def drawn(ax):
    """Draw the figure and return the boxes of its texts and its legend."""
    ax.figure.canvas.draw()
    legend = [ax.get_legend()] if ax.get_legend() else []
    return [artist.get_window_extent() for artist in (*ax.texts, *legend)]


# The timeline and the anatomy have several panels; the figures of sweeps are drawn from a folder, in tests/unit/sweeps.
ELSEWHERE = {
    "anatomy",
    "description",
    "save",
    "timeline",
    "parallel_points",
    "reserve_over",
    "ruin_map",
    "sweep_figures",
    "tornado",
}


def test_every_public_figure_is_under_this_contract():
    assert {figure.__name__ for figure in DATA} | ELSEWHERE == set(plots.__all__)


def test_it_returns_axes_that_can_be_drawn(ax):
    assert isinstance(ax, Axes)
    assert drawn(ax)


def test_it_draws_on_the_axes_that_it_is_given(figure):
    left, right = Figure(figsize=(16, 5)).subplots(1, 2)
    assert figure(DATA[figure](), left) is left
    assert left.has_data()
    assert not right.has_data()


def test_both_axes_say_what_and_in_which_unit(ax):
    assert "(" in ax.get_xlabel()
    assert "(" in ax.get_ylabel()


def test_it_has_a_title_and_a_subtitle(ax):
    assert ax.get_title(loc="left")
    assert any("·" in text.get_text() for text in ax.texts)


def test_it_leaves_global_settings_alone(figure):
    before = dict(mpl.rcParams)
    figure(DATA[figure]())
    assert dict(mpl.rcParams) == before


def test_no_two_texts_overlap(ax):
    assert not [pair for pair in combinations(drawn(ax), 2) if pair[0].overlaps(pair[1])]


def test_no_text_leaves_the_page(ax):
    page = ax.figure.bbox.padded(1)
    boxes = [*drawn(ax), ax._left_title.get_window_extent()]
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 for box in boxes)


def test_the_canvas_is_agg_and_1200_pixels_wide_at_150_dpi(ax):
    assert isinstance(ax.figure.canvas, FigureCanvasAgg)
    assert tuple(150 * ax.figure.get_size_inches()) == (1200, 750)


def test_figures_need_neither_pyplot_nor_an_engine():
    code = """
import sys, stress.plots
heavy = ("matplotlib.pyplot", "mesa", "numba", "stress.engines", "stress.scenario", "stress.agents")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


IN_COIN = [
    plots.size_survival,
    plots.fund_fan,
    plots.liquidation_map,
    plots.reserve_by_leverage,
    plots.parameter_interval,
    plots.model_risk,
]


@pytest.mark.parametrize("figure", IN_COIN, ids=lambda figure: figure.__name__)
def test_an_amount_in_coin_is_drawn_in_coins_and_not_in_millions(figure):
    dollars, coins = figure(DATA[figure]()), figure(DATA[figure](), unit="XBT")
    assert "USD m" in dollars.get_xlabel() + dollars.get_ylabel()
    labels = coins.get_xlabel() + coins.get_ylabel()
    assert "XBT" in labels
    assert "USD" not in labels + coins.get_title(loc="left")


@pytest.mark.parametrize("figure", [plots.ruin_curve, plots.loss_histogram], ids=lambda figure: figure.__name__)
def test_a_run_in_coin_is_drawn_in_its_own_money(figure):
    run = outcomes()
    ax = figure(replace(run, facts=replace(run.facts, unit="XBT")))
    assert "XBT" in ax.get_xlabel()
    assert "USD" not in ax.get_xlabel() + ax.get_title(loc="left")
