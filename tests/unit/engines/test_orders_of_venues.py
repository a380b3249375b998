"""Orders of single accounts at venues' own terms, through every engine: prices are given and nothing has an impact."""

import math

import pytest

import stress
from stress import presets
from stress.scenario import Scenario, ScenarioError

ENGINES = pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 1e9}


def account(qty, collateral, *, entry=50_000.0, name="one", **more):
    return {"kind": "account", "name": name, "qty": qty, "entry_usd": entry, "collateral_usd": collateral, **more}


def run(engine, prices, accounts, *, preset=None, tier=None, fund=1e6, step=60.0, layer=("fund",), **exchange):
    """Run a venue's orders, and its tiers, on prices step by step; return the outcomes of the one path."""
    tables = presets.load(preset).tables if preset else {}
    moves = [math.log(b / a) for a, b in zip([50_000.0, *prices], prices, strict=False)]
    own = {key: tables["exchange"][key] for key in exchange.pop("keys", ())}
    scenario = Scenario.from_tables(
        {
            "run": {"name": "one", "horizon_hours": len(prices) * step / 3600.0, "step_seconds": step, "n_paths": 1},
            "market": {"kind": "scripted", "price_usd": 50_000.0, "log_returns": moves},
            "liquidity": {
                "volume_usd_per_day": 2.0e12,
                "impact": {"kind": "linear", "log_price_per_daily_volume": 0.0},
                "pass_through": 1.0,
                "source": "constant",
            },
            "exchange": {"lot": 1e-6, "tick": 0.01, "cent": 0.01, "disposal": "immediate", **own, **exchange},
            "funding": {"interval_hours": 100.0, "mean_rate": 0.0, "sd_rate": 0.0},
            "fund": {"initial_usd": fund},
            "tier": tier or tables.get("tier"),
            "layer": list(layer),
            "population": [*accounts, MAKERS],
        }
    )
    found = stress.run(scenario, engine=engine, ledger=True, threads=1)
    assert found.conservation_error[0] <= 1e-9
    return found


THREE_PERCENT = [{"cap_usd": 1e12, "max_leverage": 20, "maintenance_margin_rate": 0.03}]
DRIFT = {"preset": "drift_v2", "keys": ("fee", "disposal", "partial", "remainder")}


@ENGINES
def test_a_keepers_order_restores_the_margin_and_the_buffer(engine):
    """Equity 14,000 at 48,400: the shortage of 10,200 to 5 % is 7.0248 of 10; the keeper's 1 % is paid once."""
    found = run(engine, [48_400.0], [account(10.0, 30_000.0)], **DRIFT)
    sold = float(found.ledger["qty"].sum())
    assert sold == pytest.approx(10_200.0 / (48_400.0 * (0.05 - 0.01) - 484.0), abs=2e-6)
    assert found.surplus[0] == pytest.approx(0.01 * sold * 48_400.0 * 0.99, abs=0.01)
    left = 14_000.0 - sold * 484.0 - found.surplus[0]
    assert 0.05 <= left / ((10.0 - sold) * 48_400.0) < 0.0503


def test_a_keeper_is_not_paid_twice():
    with pytest.raises(
        ScenarioError, match=r"exchange\.fee\.other_rate: must be 0 with exchange\.disposal\.keeper_fee"
    ):
        run("loop", [48_400.0], [account(10.0, 30_000.0)], **{**DRIFT, "fee": "keeper_split"})


@pytest.mark.parametrize("engine", ["reference", "loop"])
def test_an_account_one_tier_down_keeps_its_margin_as_in_worked_example_15(engine):
    venue = {"preset": "bybit_linear", "keys": ("fee", "partial")}
    found = run(engine, [49_250.0], [account(50.0, 50_000.0)], **venue)
    assert found.ledger["qty"].tolist() == [pytest.approx(9.390863, abs=2e-6)]
    assert 0.0 <= found.surplus[0] <= 0.01


@ENGINES
@pytest.mark.parametrize(("mark", "drawn"), [(45_001.0, 674.015), (44_999.0, 675.985)])
def test_providers_get_their_bonus_on_both_sides_of_bankruptcy(engine, mark, drawn):
    found = run(engine, [mark], [account(1.0, 5_000.0)], tier=THREE_PERCENT, fee="blp_bonus")
    assert found.bad_debt[0] - found.surplus[0] == pytest.approx(drawn)


@ENGINES
@pytest.mark.parametrize("mark", [45_001.0, 45_000.5, 44_999.0])
def test_a_fund_pays_providers_no_more_than_it_has(engine, mark):
    layer = ["fund", "socialize"]
    crowd = [account(1.0, 5_000.0, count=100)]
    found = run(engine, [mark], crowd, tier=THREE_PERCENT, fund=1_000.0, fee="blp_bonus", layer=layer)
    assert found.bad_debt[0] - found.surplus[0] == pytest.approx(1_000.0)
    assert found.fund_end[0] == pytest.approx(0.0, abs=1e-6)
    assert found.socialized_loss[0] == pytest.approx(max(0.0, 100.0 * (45_000.0 - mark)))


@ENGINES
def test_a_vault_takes_over_during_the_cooldown(engine):
    """A fifth is sold at 48,090; five seconds later less than two thirds of the margin are left: all goes, at once."""
    venue = {"preset": "hyperliquid", "keys": ("fee", "partial", "remainder", "backstop_margin")}
    prices = [48_090.0, 47_700.0, *[47_700.0] * 8]
    found = run(engine, prices, [account(10.0, 25_000.0)], step=5.0, **venue)
    assert list(zip(found.ledger["step"].tolist(), found.ledger["qty"].tolist(), strict=True)) == [(0, 2.0), (1, 8.0)]


LOSERS = [account(100.0, 500_000.0), account(-100.0, 10_000_000.0, entry=30_000.0, name="loser")]


@pytest.mark.parametrize("engine", ["reference", "loop"])
def test_accounts_at_a_loss_are_deleveraged_too_at_dydx(engine):
    layer = presets.load("dydx_v4").tables["layer"]
    found = run(engine, [42_000.0], LOSERS, tier=THREE_PERCENT, fund=0.0, layer=layer, fee="confiscate")
    assert found.deleveraged_notional[0] == pytest.approx(100.0 * 42_000.0)
    assert found.unresolved_shortfall[0] == 0.0


@pytest.mark.parametrize(("block_seconds", "paid"), [(60.0, 1.6e6), (240.0, 1.6e6)])
def test_the_loss_that_a_fund_bears_is_limited_account_by_account(block_seconds, paid):
    """Two accounts of 100 are each 0.8 m below zero at 37,000: together more than a million, each less."""
    limit = {"kind": "per_account", "usd": 1e6, "block_seconds": block_seconds}
    layer = [{"kind": "fund", "payment": "all_or_nothing", "limits": [limit]}]
    longs = [account(100.0, 500_000.0, count=2)]
    found = run("loop", [37_000.0], longs, tier=THREE_PERCENT, fund=1e7, layer=layer, fee="confiscate")
    assert found.bad_debt[0] == pytest.approx(paid)
