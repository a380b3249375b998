"""What is collateral worth that is not cash?  Haircut tiers and sales for a debt (docs/method.md, section 14)."""

from typing import Any

from pydantic import Field, field_validator

from stress.registry import Settings
from stress.rules import rule

MAX_RATIOS = 8  # tables are padded, so that another table does not compile another kernel
NEVER = 2**62  # a step beyond every horizon


class Collateral(Settings):
    """One ``[[collateral]]``: an asset that accounts may post besides the quote currency.

    It follows the index of a `symbol`, or is a stable coin worth one until it depegs.  Every slice of its value up
    to the next cap counts at that tier's ratio; beyond the last cap nothing counts.  When an account's debt in the
    quote currency (wallet plus unrealised profit below zero) exceeds `debt_usd`, coins are sold for it at `cut` below
    the index: sold = debt / (1 - cut).  The defaults are Binance's: -5,000 USD for regular users, 2.5 % for BTC.
    """

    asset: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    symbol: str | None = None
    share: float = Field(default=0.0, ge=0, le=1)  # of the equity of drawn portfolios
    tiers: tuple[tuple[float, float], ...] = Field(min_length=1, max_length=MAX_RATIOS)  # rows (cap_usd, ratio)
    cut: float = Field(default=0.025, ge=0, lt=1)
    debt_usd: float = Field(default=5_000.0, ge=0)
    depeg_at_hours: float | None = Field(default=None, ge=0)
    depeg_to: float = Field(default=1.0, gt=0, le=1)

    @field_validator("tiers")
    @classmethod
    def _rise(cls, tiers: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for k, (cap, ratio) in enumerate(tiers):
            if k and cap <= tiers[k - 1][0]:
                raise ValueError(f"cap {cap:g} overlaps the tier before it: caps must rise")
            if not 0.0 <= ratio <= 1.0:
                raise ValueError(f"ratio {ratio:g} is outside 0..1")
            if cap <= 0.0:
                raise ValueError(f"cap {cap:g} should be above 0")
        return tiers

    def numbers(self, symbol: int, depeg_step: int) -> dict[str, Any]:
        """Return what rules read; `symbol` is the desk whose index it follows, -1 for none."""
        cap, ratio = ([row[i] for row in self.tiers] for i in (0, 1))
        return {
            "symbol": symbol,
            "count": len(cap),
            "cap": tuple(cap + [cap[-1]] * (MAX_RATIOS - len(cap))),
            "ratio": tuple(ratio + [0.0] * (MAX_RATIOS - len(ratio))),
            "largest_ratio": max(ratio),
            "kept": 1.0 - self.cut,
            "debt": self.debt_usd,
            "depeg_step": depeg_step,
            "depeg_to": self.depeg_to,
        }


@rule
def counted(value, asset):
    """Return what a balance of `value` (quote) counts as margin: every slice at its tier's ratio."""
    total, below = 0.0, 0.0
    for k in range(asset.count):
        total += asset.ratio[k] * (min(value, asset.cap[k]) - below)
        if value <= asset.cap[k]:
            return total
        below = asset.cap[k]
    return total


@rule
def coin_price(asset, desks, step):
    """Return the price of one unit, quote: its symbol's index, or one until the depeg."""
    if asset.symbol >= 0:
        return desks[asset.symbol].index
    return asset.depeg_to if step >= asset.depeg_step else 1.0


@rule
def coins_for(debt, price, kept):
    """Return the units that must be sold to raise `debt` when `kept` of the price is received."""
    return debt / (kept * price)


@rule
def coins_counted(coins, prices, assets):
    """Return what an account's coins count as margin, quote."""
    total = 0.0
    for a in range(len(prices)):
        total += counted(coins[a] * prices[a], assets[a])
    return total
