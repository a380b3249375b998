"""What every risk officer knows before the run: more leverage, thinner books, later engines need a larger reserve.

A smaller venue of the default's kind, the same random numbers in every run.  A comparison asks for more than two
standard errors of the paired difference, by bootstrap over populations (Efron 1979).
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import stress

CONFIGS = Path(__file__).parents[2] / "configs"
N_POPULATIONS, N_EACH = 40, 100
SMALL = {
    "run.n_paths": N_POPULATIONS * N_EACH,
    "run.redraw_every": N_EACH,
    "run.horizon_hours": 24.0,
    "fund.initial_usd": 1e10,  # no path is run twice
}
ACCOUNTS = {f"population.{i}.count": n for i, n in enumerate((400, 600, 300, 700))}
CROWD = {**SMALL, **ACCOUNTS}  # the default's crowd, whale and makers, a tenth as many accounts
ALONE = {**SMALL, "population.0.count": 300}  # the whale beside a crowd that no crash reaches
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20)  # of the whale, always in 20 wallets at the same leverage and distance


@cache
def drawdowns(config, **overrides):
    """Return the drawdowns, one row a population."""
    run = stress.run(stress.Scenario.load(CONFIGS / f"{config}.toml", overrides=overrides))
    return run.drawdown.reshape(-1, N_EACH)


def reserve(drawdown, level=0.99):
    return np.quantile(drawdown, level, method="inverted_cdf")


def standard_error(more, less):
    """Return that of the difference of two reserves, from resampled populations."""
    draws = np.random.default_rng(1).integers(len(more), size=(200, len(more)))
    return np.std([reserve(more[rows]) - reserve(less[rows]) for rows in draws])


def crowd(**changes):
    return drawdowns("btc_perpetual", **{**CROWD, **changes})


LEVERAGE = {f"population.{i}.leverage_median": x for i, x in enumerate((2.2, 6.0, 14.0, 14.0))}
HARSHER = {
    "more leverage": LEVERAGE,
    "depth that binds": {"liquidity.depth_usd": 1.0e6},
    "depth in its worst tenth": {"liquidity.depth_stress": 1.0},
    "less volume": {"liquidity.volume_usd_per_day": 1.0e9},
    "higher volatility": {"market.vol_annual": 1.0},
    "an hourly risk check": {"exchange.check_seconds": 3600.0},
    "an engine that stands still for an hour": {"exchange.halt_minutes": 60.0},
}


@pytest.mark.parametrize("what", HARSHER)
def test_what_is_harsher_raises_the_reserve(what):
    calm, harsh = crowd(), crowd(**HARSHER[what])
    assert reserve(harsh) - reserve(calm) > 2.0 * standard_error(harsh, calm)


def whale(share):
    return reserve(drawdowns("whale", **ALONE, **{"population.1.share": share}), level=0.999)


def test_the_reserve_does_not_fall_as_the_whale_grows():
    reserves = [whale(share) for share in SHARES]
    assert reserves == sorted(reserves)


def test_a_whale_twenty_times_as_large_needs_more_than_three_times_the_reserve():
    assert whale(SHARES[-1]) > 3.0 * whale(SHARES[0])


def test_a_quarter_of_the_step_changes_the_reserve_by_less_than_15_percent():
    # 10,000 paths of 72 h: the paired ratio is known to about 3 %.
    longer = {"run.horizon_hours": 72.0, "run.n_paths": 10_000}
    coarse, fine = (crowd(**longer, **{"run.step_seconds": seconds}) for seconds in (60.0, 15.0))
    assert reserve(fine) == pytest.approx(reserve(coarse), rel=0.15)
