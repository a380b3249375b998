"""Whatever happens in whatever order, every position is held by somebody and every loss borne by one."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stress.engines.rounds import Flows, Round, compose_end, compose_round, is_broke
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange.margin import is_breached
from stress.exchange.settlement import balance_error, record_event
from stress.exchange.state import ExchangeState
from stress.exchange.waterfall import Case
from stress.scenario import Scenario

TABLES = {
    "run": {"name": "books", "horizon_hours": 1.0},
    "market": {"kind": "scripted", "price_usd": 50_000.0},
    "liquidity": {"volume_usd_per_day": 1e8, "depth_usd": 1e6, "half_life_minutes": 5.0},
    "exchange": {"lot": 0.001, "fee": "capped_fee", "disposal": {"kind": "participation", "participation": 0.1}},
    "funding": {"interval_hours": 1.0},
    "fund": {"initial_usd": 5_000.0},
    "tier": [{"cap_usd": 1e12, "max_leverage": 100, "maintenance_margin_rate": 0.005}],
    "layer": ["fund", "adl", "socialize"],
    "population": [
        {"kind": "account", "name": "one", "qty": 1.0, "entry_usd": 50_000.0, "collateral_usd": 5_000.0},
        {"kind": "maker", "name": "makers", "collateral_usd": 1e5},
    ],
}
CHOICES = [
    {},
    {"liquidity.impact": "linear", "exchange.fee": "confiscate", "layer": ["adl", "fund", "socialize"]},
    {"liquidity.impact": "book", "exchange.disposal": "limit_at_bankruptcy", "layer": ["fund"]},
    {"exchange.disposal": "immediate", "layer": ["socialize", "fund", {"kind": "adl", "ranking": "pro_rata"}]},
    {"liquidity.permanent_share": 0.3, "exchange.fee": "keep_residual", "fund.initial_usd": 0.0},
]
QUANTITIES = st.integers(1, 8_000).map(lambda lots: lots / 1024.0)
ACCOUNTS = st.lists(st.tuples(st.sampled_from([1.0, -1.0]), QUANTITIES, st.floats(2.0, 60.0)), min_size=2, max_size=8)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.floats(-0.15, 0.15)),
        st.tuples(st.just("move"), st.floats(-0.02, 0.02)),
        st.tuples(st.just("fund"), st.floats(-50.0, 50.0)),
        st.tuples(st.just("wait"), st.just(0.0)),
    ),
    min_size=1,
    max_size=12,
)


class Venue:
    """A small exchange driven by hand through the rules that every engine calls."""

    def __init__(self, choice, accounts, account, bottomless):
        scenario, self.account = Scenario.from_tables(TABLES, overrides=choice), account
        book = rulebook(scenario, 1e6)
        self.book, self.decay, self.rules = as_namespace(book.numbers), book.decay, book.compose()
        self.accounts = [account(s * q, 50_000.0, round(q * 50_000.0 / leverage, 2)) for s, q, leverage in accounts]
        self.living, self.shocks, self.step = list(range(len(accounts))), [], -1
        qty = sum(a.qty for a in self.accounts)
        collateral = sum(a.collateral for a in self.accounts)
        self.state = ExchangeState(
            initial_price=50_000.0,
            index=50_000.0,
            mark=50_000.0,
            bottomless=bottomless,
            alive_qty=qty,
            alive_cost=qty * 50_000.0,
            alive_collateral=collateral,
            maker_qty=-qty,
            maker_cost=-qty * 50_000.0,
            maker_collateral=1e5,
            deposits=collateral + 1e5,
        )
        self.close_batch = compose_round(self.rules)
        self.value_fund, self.shed = compose_end(self.rules)
        self.tiers = scenario.tiers

    def happen(self, event, amount):
        state = self.state
        self.step += 1
        self.shocks.append((self.shocks[-1] if self.shocks else 0.0) + (math.log1p(amount) if event == "move" else 0.0))
        self.rules.open_step(state, self.book, self.step, self.shocks[-1], self.decay)
        state.funding += amount if event == "fund" else 0.0
        for _ in range(5):
            if not self.round():
                break
        if state.inventory != 0.0:
            self.rules.unwind(state, self.book, self.step)
        if state.inventory != 0.0 and is_broke(state, self.book, self.value_fund(state, self.book)):
            seat = self.account(0.0, 1.0, 0.0)
            one = Round([seat], [0.0], [0.0], [0], [0.0], [0])
            self.shed(state, self.book, one, Case(), self.accounts, self.living)
        record_event(state, self.book, self.step, self.value_fund(state, self.book))

    def round(self):
        state = self.state
        batch = [i for i in self.living if self.breached(self.accounts[i])]
        if not batch:
            return False
        self.living = [i for i in self.living if i not in batch]
        rows, n = [self.accounts[i] for i in batch], len(batch)
        round_ = Round(rows, [0.0] * n, [0.0] * n, [0] * n, [0.0] * n, [0] * n)
        self.close_batch(state, self.book, self.shocks, self.step, round_, Flows(), Case(), self.accounts, self.living)
        return True

    def breached(self, a):
        return is_breached(a.qty, a.entry, a.collateral, self.state.mark, self.state.funding, self.tiers)


def any_history(test):
    return settings(max_examples=150)(
        given(choice=st.sampled_from(CHOICES), accounts=ACCOUNTS, events=EVENTS, bottomless=st.sampled_from([0, 1]))(
            test
        )
    )


def lived(account, choice, accounts, events, bottomless):
    venue = Venue(choice, accounts, account, bottomless)
    for event in events:
        venue.happen(*event)
    return venue


@any_history
def test_the_books_balance_after_every_event(account, **drawn):
    venue = lived(account, **drawn)
    assert venue.state.conservation_error <= 1e-9
    assert balance_error(venue.state) <= 1e-3


@any_history
def test_the_totals_of_the_living_are_those_of_the_accounts(account, **drawn):
    venue = lived(account, **drawn)
    alive = [venue.accounts[i] for i in venue.living]
    assert venue.state.alive_qty == pytest.approx(sum(a.qty for a in alive), abs=1e-9)
    assert venue.state.alive_collateral == pytest.approx(sum(a.collateral for a in alive), abs=1e-5)


@any_history
def test_gross_drawdown_is_never_below_net(account, **drawn):
    state = lived(account, **drawn).state
    assert state.drawdown_gross >= state.drawdown - 1e-9


@any_history
def test_the_flows_of_the_fund_never_run_backwards(account, **drawn):
    state = lived(account, **drawn).state
    assert min(state.surplus, state.bad_debt, state.socialized_loss, state.unresolved_shortfall) >= -1e-9


@any_history
def test_the_shadow_fund_leaves_nothing_to_the_other_layers(account, **drawn):
    if drawn["choice"].get("layer", ["fund"])[0] != "fund":
        return
    state = lived(account, **{**drawn, "bottomless": 1}).state
    assert (state.socialized_loss, state.deleveraged_notional, state.unresolved_shortfall) == (0.0, 0.0, 0.0)


@any_history
def test_ruin_is_a_drawdown_above_the_fund(account, **drawn):
    venue = lived(account, **drawn)
    ruined, beyond = venue.state.ruin_step >= 0, venue.state.drawdown > venue.book.fund_initial
    assert ruined == beyond or (
        ruined and venue.state.bottomless == 0
    )  # a fund with a bottom refuses, and never falls below
