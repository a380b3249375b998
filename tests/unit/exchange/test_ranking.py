from types import SimpleNamespace

import numpy as np
import pytest

from stress.exchange.adl import standing_of
from stress.exchange.ranking import (
    Binance,
    Cube,
    Hyperliquid,
    HyperliquidLiteral,
    KeeperChoice,
    ProfitLeverage,
    ProRata,
    Random,
    Ranking,
    SizeWeighted,
    Standing,
    lots_down,
)

# Worked example 27: mark 50,000, the first tiers of Binance's table of 2025.
MARK = 50_000.0
TIERS = SimpleNamespace(
    count=2, cap=[300_000.0, 1e12], rate=[0.004, 0.005], deduction=[0.0, 300.0], at_mark=1.0, at_entry=0.0
)
BOOK = SimpleNamespace(tiers=TIERS, layers=SimpleNamespace(adl=SimpleNamespace(one_usd=1.0)))
SEATS = {
    "A": (2, 40_000, 8_000),
    "B": (1, 42_000, 1_050),
    "C": (1, 30_000, 10_000),
    "D": (-1, 60_000, 3_000),
    "E": (1, 55_000, 5_500),
}


def standing(name, turn=0.0):
    state = SimpleNamespace(mark=MARK, funding=0.0)
    return standing_of(state, BOOK, *SEATS[name], turn)


def queue(ranking, names="ABC"):
    return "".join(sorted(names, key=lambda name: -ranking.score(standing(name))))


@pytest.mark.parametrize(
    ("name", "r1", "r2", "r3"),
    [
        ("A", 0.892857, 0.0357143, 4.464286),
        ("B", 1.052355, 0.1683767, 6.577217),
        ("C", 1.111111, 0.0133333, 2.777778),
        ("D", 0.641026, 0.0512821, 4.615385),
    ],
)
def test_the_ranks_of_worked_example_27(name, r1, r2, r3):
    ranks = [ranking.score(standing(name)) for ranking in (ProfitLeverage, Binance, Hyperliquid)]
    assert ranks == pytest.approx([r1, r2, r3], abs=5e-7)


def test_a_loser_of_worked_example_27_ranks_behind_everybody():
    loser = [ranking.score(standing("E")) for ranking in (ProfitLeverage, Binance)]
    assert loser == [pytest.approx(-0.000909, abs=5e-7), 0.0]


def test_the_venue_changes_the_order_of_worked_example_27():
    assert {kind: queue(Ranking.member(kind)) for kind in ("profit_leverage", "binance", "hyperliquid")} == {
        "profit_leverage": "CBA",
        "binance": "BAC",
        "hyperliquid": "BAC",
    }


def test_the_rank_of_an_inverse_position_is_that_of_its_values_as_in_worked_example_28():
    # 100,000 USD long from 40,000 at 50,000 with 0.25 BTC, bankrupt at 36,363.6364: values are -N/price.
    value, entry_value, bankrupt = -100_000 / 50_000, -100_000 / 40_000, -100_000 / 36_363.636364
    worth = value - bankrupt
    found = Standing(1.0, 40_000, MARK, value - entry_value, abs(entry_value), abs(value), worth, 0.0, 2e-5, 0.0)
    assert found.equity == pytest.approx(0.75)
    assert ProfitLeverage.score(found) == pytest.approx(0.533333, abs=5e-7)


def test_a_wallet_counts_as_one_dollar_at_least_in_any_money():
    # 0.5 BTC of profit on a wallet of 1e-7 BTC, which is half a cent at 50,000; maintenance over equity is 1 %.
    empty = Standing(1.0, 40_000, MARK, 0.5, 2.5, 2.0, 0.5 + 1e-7, 0.01 * (0.5 + 1e-7), 1.0 / 50_000, 0.0)
    assert Binance.score(empty) == pytest.approx(0.5 * 50_000 * 0.01)
    in_usd = Standing(1.0, 40_000, MARK, 25_000.0, 125_000.0, 1e5, 25_000.005, 250.00005, 1.0, 0.0)
    assert Binance.score(in_usd) == pytest.approx(Binance.score(empty))


def test_to_the_letter_a_winning_short_ranks_by_a_ratio_below_one():
    assert HyperliquidLiteral.score(standing("D")) == pytest.approx(50 / 60 * 50_000 / 13_000)


def test_cube_ranks_by_money_times_leverage():
    assert Cube.score(standing("A")) == pytest.approx(20_000 * 3.571429, rel=1e-6)
    assert Cube.score(standing("E")) == pytest.approx(-5_000 / 100)


def test_a_random_ranking_goes_round_from_the_drawn_seat():
    assert sorted("ABC", key=lambda name: -Random.score(standing(name, turn=(ord(name) - ord("B")) % 3))) == [*"BCA"]


def test_size_and_profit_and_nothing_are_ranks_too():
    assert (queue(SizeWeighted), queue(KeeperChoice), queue(ProRata)) == ("ABC", "ACB", "ABC")


# --- allocation: worked example 29, sizes of accounts 1 to 6 and their scores

SIZES = np.array([10.0, 10.0, 20.0, 30.0, 20.0, 10.0])
SCORES = np.array([3.0, 6.0, 1.0, 4.0, 5.0, 2.0])
IN_ORDER = [kind for kind in Ranking.family if kind not in ("pro_rata", "size_weighted")]


def allocate(ranking, amount, *, lot=0.5):
    taken = np.zeros(len(SIZES))
    ranking.allocate(np.argsort(-SCORES, kind="mergesort"), SIZES, amount, lot, taken)
    return taken.tolist()


@pytest.mark.parametrize("kind", IN_ORDER)
@pytest.mark.parametrize(("amount", "taken"), [(20, [0, 10, 0, 0, 10, 0]), (45, [0, 10, 0, 15, 20, 0])])
def test_the_queue_is_closed_from_the_front_as_in_worked_example_29(kind, amount, taken):
    assert allocate(Ranking.member(kind), float(amount)) == taken


@pytest.mark.parametrize("ranking", [ProRata, SizeWeighted])
def test_pro_rata_takes_the_same_share_of_everybody_as_in_worked_example_29(ranking):
    assert allocate(ranking, 45.0) == [4.5, 4.5, 9.0, 13.5, 9.0, 4.5]


def test_the_odd_lots_of_pro_rata_go_in_account_order():
    assert allocate(ProRata, 7.0, lot=1.0) == [3.0, 0.0, 1.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize("ranking", [ProfitLeverage, ProRata])
def test_everything_can_be_taken(ranking):
    assert allocate(ranking, 100.0) == SIZES.tolist()


def test_lots_are_rounded_down():
    assert [lots_down(x, 0.25) for x in (1.0, 1.1, 1.24, 1.25)] == [1.0, 1.0, 1.0, 1.25]
