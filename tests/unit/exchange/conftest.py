from types import SimpleNamespace

import pytest

from stress.engines.rounds import Round
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange.settlement import close, trade_with_makers
from stress.exchange.state import ExchangeState
from stress.exchange.waterfall import Case, close_case, compose_waterfall, open_case
from stress.scenario import Scenario

TABLES = {
    "run": {"name": "desk", "horizon_hours": 1.0},
    "market": {"kind": "scripted", "price_usd": 50_000.0},
    "liquidity": {
        "volume_usd_per_day": 2.0e9,
        "depth_usd": 7.5e6,
        "impact": {"kind": "linear", "log_price_per_daily_volume": 0.0},
        "pass_through": 1.0,
    },
    "exchange": {"lot": 1e-8, "fee": "confiscate", "disposal": "immediate"},
    "funding": {"interval_hours": 1.0},
    "fund": {"initial_usd": 0.0},
    "tier": [{"cap_usd": 1e12, "max_leverage": 100, "maintenance_margin_rate": 0.005}],
    "layer": ["fund", "adl", "socialize"],
    "population": [
        {"kind": "account", "name": "one", "qty": 1.0, "entry_usd": 50_000.0, "collateral_usd": 5_000.0},
        {"kind": "maker", "name": "makers", "collateral_usd": 1e6},
    ],
}


@pytest.fixture
def make_account():
    """An account-like object, as Mesa agents and rows of the compiled engines are."""

    def make(qty, entry, collateral, cohort=0):
        return SimpleNamespace(qty=float(qty), entry=float(entry), collateral=float(collateral), cohort=cohort)

    return make


@pytest.fixture
def make_book():
    """The numbers that rules read, of a scenario without impact or volume limit unless it is overridden."""

    def make(overrides=None, **numbers):
        scenario = Scenario.from_tables(TABLES, overrides=overrides)
        return as_namespace({**rulebook(scenario, 1e6).numbers, **numbers})

    return make


@pytest.fixture
def open_books():
    """The state of an exchange whose makers balance the given accounts at today's price."""

    def make(accounts, price, *, maker_collateral=0.0, depth=1.0, **changed):
        qty = sum(a.qty for a in accounts)
        collateral = sum(a.collateral for a in accounts)
        pnl = sum(a.qty * (price - a.entry) for a in accounts)
        numbers = {
            "initial_price": price,
            "index": price,
            "mark": price,
            "price_min": price,
            "price_max": price,
            "depth": depth,
            "per_depth": 1.0 / depth,
            "alive_qty": qty,
            "alive_cost": sum(a.qty * a.entry for a in accounts),
            "alive_collateral": collateral,
            "maker_qty": -qty,
            "maker_cost": -qty * price,
            "maker_collateral": maker_collateral,
            "deposits": collateral + pnl + maker_collateral,
        }
        return ExchangeState(**{**numbers, **changed})

    return make


@pytest.fixture
def present(make_book, open_books):
    """Present the shortfall of bankrupt accounts to a waterfall and settle what it decides.

    The makers balanced the book at `start`; they have no profit if that is the fill.
    """

    def run(layers, bankrupt, others=(), *, fill, fund=0.0, share=1.0, later=None, bottomless=0, **opening):
        later = fill if later is None else later
        accounts = [*bankrupt, *others]
        start, numbers = opening.pop("start", 50_000.0), opening.pop("numbers", {})
        state = open_books(accounts, start, bottomless=bottomless, **opening)
        state.mark = state.index = fill
        book = make_book({"layer": layers}, fund_initial=fund, **numbers)
        case, side = Case(), 1.0 if bankrupt[0].qty > 0 else -1.0
        n = len(bankrupt)
        round_ = Round(bankrupt, [0.0] * n, [share] * n, [1] * n, [0.0] * n)
        living = list(range(len(bankrupt), len(accounts)))
        open_case(state, book, case, side, round_, fill, later)
        compose_waterfall()(state, book, case, round_, accounts, living)
        for account in bankrupt:
            close(state, account)
        close_case(state, case, round_)
        sold = sum(a.qty for a in bankrupt) - side * sum(round_.moved)
        trade_with_makers(state, -share * sold, fill)
        return SimpleNamespace(case=case, state=state, book=book, moved=round_.moved)

    return run
