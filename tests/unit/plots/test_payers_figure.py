"""The steps of the waterfall are the means of the layers, and the shares of the cohorts are as they were found."""

from types import SimpleNamespace

import numpy as np
import pytest

from stress import plots
from stress.summary import CohortShares
from stress.summary.comparison import PAYERS
from stress.summary.notation import Money


def summary(**mean):
    facts = SimpleNamespace(scenario="example", horizon_hours=24.0)
    return SimpleNamespace(mean=dict.fromkeys(PAYERS.values(), 0.0) | mean, money=Money(), n_paths=10, facts=facts)


def bars(ax):
    return [(bar.get_x(), bar.get_width()) for bar in ax.patches]


def test_every_layer_takes_its_part_off_the_loss_until_nothing_is_left():
    ax = plots.who_paid(summary(fund_draw=6e6, forgone_profit=3e6, unresolved_shortfall=1e6))
    assert bars(ax) == [(0.0, 10.0), (4.0, 6.0), (1.0, 3.0), (0.0, 1.0)]
    rows = [tick.get_text() for tick in ax.get_yticklabels()]
    assert rows == ["loss to be borne", "fund", "winners, deleveraged", "nobody"]
    assert ax.get_title(loc="left") == "60 % of the mean loss of USD 10.0 m falls on: fund"


def test_a_loss_that_nobody_has_is_said():
    assert "On no path" in plots.who_paid(summary()).get_title(loc="left")


def test_cohorts_stand_in_the_order_of_their_shares():
    ax = plots.attribution(CohortShares(0.99, 40, ("a", "b", "c"), (0.2, 0.9, -0.1), (0.05, 0.1, 0.02)))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["b", "a", "c"]
    assert [width for _, width in bars(ax)] == pytest.approx([90.0, 20.0, -10.0])


def test_the_anatomy_counts_liquidations_and_rounds_by_interval():
    event = SimpleNamespace
    events = (
        event(hours=0.5, side="long", notional_usd=1e6, round=0),
        event(hours=1.0, side="long", notional_usd=2e6, round=2),
        event(hours=1.5, side="short", notional_usd=4e6, round=0),
    )
    followed = SimpleNamespace(
        label="example",
        unit="USD",
        hours=np.array([0.0, 1.0, 2.0]),
        price=np.array([[100.0, 90.0, 95.0]]),
        mark=np.array([[100.0, 88.0, 95.5]]),
        inventory=np.array([[0.0, 3e6, 0.0]]),
        fund=np.array([[6e7, 5e7, 5.5e7]]),
        deleveraged=np.array([[0.0, 0.0, 2e6]]),
        drawdown=np.array([1e7]),
        events=(events,),
    )
    ax = plots.anatomy(followed)
    price, liquidated, rounds, inventory, fund = ax.figure.axes
    assert [bar.get_height() for bar in liquidated.patches] == [3.0, 0.0, 0.0, -4.0]  # longs up, shorts down
    assert [bar.get_height() for bar in rounds.patches] == [3.0, 1.0]
    assert [line.get_ydata().min() for line in price.lines] == [88.0, 90.0]
    assert inventory.lines[0].get_ydata().max() == 3.0
    assert [bar.get_height() for bar in inventory.patches] == [0.0, 2.0]
    assert fund.lines[0].get_ydata().min() == 50.0
    assert "mark up to -2.2 % off the index" in ax.texts[0].get_text()
    assert "3 rounds" in ax.get_title(loc="left")
    assert "3 liquidations" in ax.texts[0].get_text()
