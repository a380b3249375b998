"""What is true of any exchange's account: its fields and their arithmetic.

A position of signed quantity `qty` (long > 0) was entered at `entry`, with margin `collateral`.  `funding` is
the cumulative funding per unit that a long has paid since the start of the path; it shifts every entry alike.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from stress.rules import rule

ACCOUNT = np.dtype(
    [
        ("qty", np.float64),  # position, base units, long > 0
        ("entry", np.float64),  # average entry price, quote per base
        ("collateral", np.float64),  # posted margin, quote
        ("cohort", np.int64),  # row of the scenario's population table
        ("cross", np.int64),  # 1: the whole wallet backs the position; 0: isolated margin
        ("wait", np.int64),  # until when no order is sent for it (see `exchange.orders`)
    ]
)

# Sums of quantised quantities are exact, whatever their order, while they stay below this many grid units.
EXACT_UNITS = 2.0**53


@rule
def notional(qty, mark):
    """Return the value of a position, quote >= 0."""
    return abs(qty) * mark


@rule
def unrealized_pnl(qty, entry, mark, funding):
    """Return the profit of a position at `mark`, after funding paid, quote."""
    return qty * (mark - entry - funding)


@rule
def equity(qty, entry, collateral, mark, funding):
    """Return collateral plus unrealised profit, quote (docs/method.md, section 2)."""
    return collateral + unrealized_pnl(qty, entry, mark, funding)


@rule
def bankruptcy_price(qty, entry, collateral, funding):
    """Return the price at which equity is zero, quote per base: P_b = E - W/q (docs/method.md, section 2)."""
    return entry + funding - collateral / qty


@rule
def lots_up(quantity, lot):
    """Round up to whole lots."""
    return math.ceil(quantity / lot) * lot


@rule
def lots_down(quantity, lot):
    """Round down to whole lots."""
    return math.floor(quantity / lot) * lot


def grid(step: float) -> float:
    """Return the largest power of two not above `step`.

    Numbers on a dyadic grid are exact floats, and so are their sums and products below 2**53 units: the
    reason that engines which sum in different orders agree to the last account.
    """
    return float(2.0 ** np.floor(np.log2(step)))


def quantize(values: ArrayLike, step: float) -> np.ndarray:
    """Round to the dyadic grid of `step` (see `grid`)."""
    unit = grid(step)
    return np.round(np.asarray(values, dtype=np.float64) / unit) * unit
