from types import SimpleNamespace

import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.engines.rounds import Round
from stress.exchange.adl import Adl
from stress.exchange.backstop import Backstop
from stress.exchange.limits import Limit
from stress.exchange.payers import Fund
from stress.exchange.ranking import Ranking
from stress.exchange.settlement import balance_error, close, trade_with_makers
from stress.exchange.socialize import LossBasis, Socialize
from stress.exchange.state import ExchangeState
from stress.exchange.transfer import TransferPrice
from stress.exchange.waterfall import Case, Layer, close_case, layer_numbers, open_case

START, FILL = 50_000.0, 44_700.0  # the longs are bankrupt at 45,000
LOT = 2.0**-10


ALL = {"usd_per_minute": 1e9, "usd_per_hour": 1e9, "required_edge": -1.0}


def variants():
    """Yield every layer with each of its choices."""
    for kind, member in Layer.family.items():
        yield kind, member, {}
    for ranking in Ranking.family:
        yield f"adl-{ranking}", Adl, {"ranking": ranking}
    for price in TransferPrice.family:
        yield f"adl-{price}", Adl, {"price": price}
        yield f"backstop-{price}", Backstop, {"price": price, **ALL}
    for settings in ({"capacity": 0.3}, {"capacity": 0.0}, {"max_accounts": 1}, {"losers": True}):
        yield f"adl-{settings}", Adl, settings
    for basis in LossBasis.family:
        yield f"socialize-{basis}", Socialize, {"basis": basis}
    for limit, member in Limit.family.items():
        terms = {"usd": 300.0} if "usd" in member.model_fields else {}
        yield f"fund-{limit}", Fund, {"limits": [{"kind": limit, **terms}]}
    yield "fund-all_or_nothing", Fund, {"payment": "all_or_nothing"}


VARIANTS = [pytest.param(member, settings, id=name) for name, member, settings in variants()]
every_layer = pytest.mark.parametrize(("member", "settings"), VARIANTS)
every_fund = pytest.mark.parametrize("fund", [0.0, 400.0, 1e9])
every_winner = pytest.mark.parametrize("winners", [(), (-1.0,), (-2.0, -5.0, -40.0)], ids=["none", "one", "many"])


def account(qty, entry, collateral):
    return SimpleNamespace(qty=qty, entry=entry, collateral=collateral, cohort=0)


@pytest.fixture
def present(example):
    """Present 3 and 1 BTC, each 300 below bankruptcy, to one layer alone."""

    def run(member, settings, fund, winners=(-2.0, -5.0)):
        layer = example(member, **settings)
        longs = [account(q, START, 5_000.0 * q) for q in (3.0, 1.0)]
        others = [account(q, START - 500.0 * k, -8_000.0 * q) for k, q in enumerate(winners)]
        everybody = [*longs, *others]
        qty = sum(a.qty for a in everybody)
        deposits = sum(a.collateral + a.qty * (FILL - a.entry) for a in everybody)
        state = ExchangeState(
            initial_price=FILL,
            index=FILL,
            mark=FILL,
            previous_mark=FILL + 100.0,
            bottomless=0,
            alive_qty=qty,
            alive_cost=sum(a.qty * a.entry for a in everybody),
            alive_collateral=sum(a.collateral for a in everybody),
            maker_qty=-qty,
            maker_cost=-qty * FILL,
            deposits=deposits,
        )
        rows = layer_numbers((layer,))
        layers = SimpleNamespace(**{kind: SimpleNamespace(**numbers) for kind, numbers in rows.items()})
        tiers = SimpleNamespace(count=1, cap=[1e12], rate=[0.005], deduction=[0.0], at_mark=1.0, at_entry=0.0)
        numbers = {"fund_initial": fund, "lot": LOT, "makers_deleverage": 0, "tiers": tiers, "step_hours": 1 / 60}
        book = SimpleNamespace(layers=layers, **numbers)
        case, round_ = Case(), Round(longs, [0.0, 0.0], [1.0, 1.0], [1, 1], [0.0, 0.0])
        open_case(state, book, case, 1.0, round_, FILL, FILL)
        before = case.remaining
        layer.compose()(state, book, case, round_, everybody, list(range(2, len(everybody))))
        for long in longs:
            close(state, long)
        close_case(state, case, round_)
        trade_with_makers(state, -(4.0 - sum(round_.moved)), FILL)
        return SimpleNamespace(state=state, case=case, moved=round_.moved, before=before, longs=longs, others=others)

    return run


@every_layer
@every_fund
@every_winner
def test_a_layer_leaves_a_part_of_what_it_got(present, member, settings, fund, winners):
    run = present(member, settings, fund, winners)
    assert 0.0 <= run.case.remaining <= run.before


@every_layer
@every_fund
@every_winner
def test_the_books_balance_after_a_layer(present, member, settings, fund, winners):
    assert balance_error(present(member, settings, fund, winners).state) == pytest.approx(0.0, abs=1e-6)


@every_layer
@every_fund
@every_winner
def test_a_loss_is_attributed_exactly_once(present, member, settings, fund, winners):
    run = present(member, settings, fund, winners)
    state = run.state
    handed_over = sum(moved * 300.0 for moved in run.moved) - run.case.owed
    others = state.socialized_loss + state.fee_pool_paid + state.operator_paid
    parts = state.bad_debt - state.surplus + others + state.unresolved_shortfall + handed_over
    assert parts == pytest.approx(1_200.0, abs=300.0 * 2 * LOT)


@every_layer
@every_fund
def test_a_layer_takes_the_same_fraction_of_each_account(present, member, settings, fund):
    run = present(member, settings, fund)
    first, second = (moved / long.qty for moved, long in zip(run.moved, run.longs, strict=True))
    assert first == pytest.approx(second, abs=2 * LOT)


@every_layer
@every_fund
@every_winner
def test_nobody_who_pays_becomes_insolvent(present, member, settings, fund, winners):
    run = present(member, settings, fund, winners)
    assert all(a.collateral + a.qty * (FILL - a.entry) >= 0.0 for a in run.others)


@every_layer
def test_no_layer_takes_from_a_fund_that_is_empty(present, member, settings):
    run = present(member, settings, 0.0)
    assert run.state.bad_debt == pytest.approx(0.0, abs=300.0 * 2 * LOT)


@every_layer
def test_a_layer_that_is_absent_has_the_same_numbers_as_zeros(example, member, settings):
    layer = example(member, **settings)
    present, absent = layer_numbers((layer,))[layer.kind], layer_numbers(())[layer.kind]
    assert present.keys() == absent.keys()
    assert all(isinstance(value, float) for value in present.values())
    assert set(absent.values()) == {0.0}
