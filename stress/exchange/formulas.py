"""What would the help page of a venue print?  Bankruptcy and liquidation prices in closed form.

The rules never call these: they test equity against margin.  They are here so that a rulebook can be checked against
a page by hand, each formula with the venue that states it (docs/method.md, section 2).  `side` is +1 for a long and
-1 for a short, `qty` is positive, prices are USD, rates are fractions.
"""

import math

from stress.exchange.margin import TierTable, tier_of


def bankruptcy_price(side: int, qty: float, entry: float, collateral: float, *, fee: float = 0.0) -> float:
    """Return the price at which a linear position is worth nothing once its closing fee is reserved.

    P_b(f) = (q E - s W) / (q (1 - s f)), USD per base.
    """
    return (qty * entry - side * collateral) / (qty * (1.0 - side * fee))


def liquidation_price(
    side: int, qty: float, entry: float, collateral: float, tiers: TierTable, *, fee: float = 0.0
) -> float | None:
    """Return the price at which equity meets maintenance margin plus `fee` of the notional (OKX, Gate), or None.

    P_l(f) = (W + c_k - s q E) / (q (m_k + f - s)), in the tier that holds q P_l.  For a cross account `collateral`
    is the wallet less the margins plus the profits of its other positions.
    """
    for k in range(tiers.count):
        price = (collateral + tiers.deduction[k] - side * qty * entry) / (qty * (tiers.rate[k] + fee - side))
        if price > 0.0 and tier_of(qty * price, tiers) == k:
            return price
    return None


def entry_value_price(side: int, entry: float, leverage: float, rate: float) -> float:
    """Return the liquidation price where the margin is on the value at entry (older Bybit USDT): E (1 - s/L + s m)."""
    return entry * (1.0 - side / leverage + side * rate)


def price_from_spare_margin(side: int, qty: float, price: float, spare: float, rate: float) -> float:
    """Return the liquidation price that Hyperliquid states: P - s (equity - MM) / q / (1 - m s), at the price P."""
    return price - side * spare / qty / (1.0 - rate * side)


def inverse_bankruptcy_price(side: int, contracts: float, entry: float, collateral: float) -> float:
    """Return the bankruptcy price of inverse contracts of 1 USD: 1/P_b = 1/E + s W/N; infinite if never."""
    coin = 1.0 / entry + side * collateral / contracts
    return 1.0 / coin if coin > 0.0 else math.inf


def inverse_liquidation_price(
    side: int, contracts: float, entry: float, collateral: float, rate: float, *, deduction: float = 0.0
) -> float:
    """Return the liquidation price of inverse contracts, margin on the current value (Kraken, Bybit).

    P_l = N (m + s) / (W + c + s N/E); `collateral` and `deduction` in coin; infinite if never.
    """
    coin = side * (collateral + deduction + side * contracts / entry)
    return contracts * (1.0 + side * rate) / coin if coin > 0.0 else math.inf


def inverse_entry_value_price(
    side: int, contracts: float, entry: float, collateral: float, rate: float, *, deduction: float = 0.0
) -> float:
    """Return the liquidation price of inverse contracts, margin on the value at entry (BitMEX, older Bybit).

    1/P_l = 1/E + s (W - (N/E) m + c) / N; infinite if never.
    """
    coin = 1.0 / entry + side * (collateral - contracts / entry * rate + deduction) / contracts
    return 1.0 / coin if coin > 0.0 else math.inf
