"""When is an account liquidated?  Tiered maintenance margin (docs/method.md, section 2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from stress.registry import Settings
from stress.rules import rule

MAX_TIERS = 24  # tables are padded, so that another table does not compile another kernel


class Tier(Settings):
    """One step of the tier table: positions up to `cap_usd`."""

    cap_usd: float = Field(gt=0)
    max_leverage: float = Field(ge=1, le=1000)
    maintenance_margin_rate: float = Field(gt=0, lt=1)


@dataclass(frozen=True)
class TierTable:
    """Tiers as rules read them: notional in (cap[k-1], cap[k]] belongs to tier k."""

    count: int
    cap: tuple[float, ...]
    rate: tuple[float, ...]
    deduction: tuple[float, ...]
    max_leverage: tuple[float, ...]

    @classmethod
    def of(cls, tiers: tuple[Tier, ...], *, continuous: bool) -> "TierTable":
        """Build the padded table; ``continuous`` adds the deductions that join the tiers.

        c_1 = 0, c_k = c_{k-1} + lo_k (m_k - m_{k-1}); without them (``cliff``) the rate of the tier that is
        reached applies to the whole position.
        """
        rates = [tier.maintenance_margin_rate for tier in tiers]
        caps = [tier.cap_usd for tier in tiers]
        deductions = [0.0]
        for k in range(1, len(tiers)):
            deductions.append(deductions[-1] + caps[k - 1] * (rates[k] - rates[k - 1]) * continuous)
        leverage = [tier.max_leverage for tier in tiers]
        return cls(len(tiers), _pad(caps), _pad(rates), _pad(deductions), _pad(leverage))


def tier_problems(tiers: tuple[Tier, ...]) -> Iterator[tuple[str, str]]:
    """Yield (row.key, message) for tiers that overlap, fall, or leave no room below the initial margin."""
    for i, tier in enumerate(tiers):
        if tier.maintenance_margin_rate >= 1.0 / tier.max_leverage:
            yield (
                f"{i}.maintenance_margin_rate",
                f"{tier.maintenance_margin_rate:g} is not below the initial margin 1/{tier.max_leverage:g}",
            )
        if i and tier.cap_usd <= tiers[i - 1].cap_usd:
            yield f"{i}.cap_usd", f"{tier.cap_usd:g} overlaps the tier before it: caps must rise"
        if i and tier.maintenance_margin_rate < tiers[i - 1].maintenance_margin_rate:
            yield f"{i}.maintenance_margin_rate", "falls below the tier before it: rates must not fall"


def _pad(values: list[float]) -> tuple[float, ...]:
    return tuple(values + [values[-1]] * (MAX_TIERS - len(values)))


@rule
def tier_of(notional, tiers):
    """Return the row of the tier table for a notional; beyond the last cap the last row applies."""
    k = 0
    while k < tiers.count - 1 and notional > tiers.cap[k]:
        k += 1
    return k


@rule
def maintenance_margin(notional, tiers):
    """Return the margin below which a position is liquidated, quote: n m_k - c_k."""
    k = tier_of(notional, tiers)
    return notional * tiers.rate[k] - tiers.deduction[k]


@rule
def liquidation_key(qty, entry, collateral, deduction):
    """Return E - (W + c)/q, the account's side of the test "equity < maintenance margin".

    W + q(M - E - F) < |q| M m - c  is, divided by q,  M(1 - m) - F < key  for a long and
    M(1 + m) - F > key  for a short: all accounts of a tier compare one number with their key.
    """
    return entry - (collateral + deduction) / qty


@rule
def is_breached(qty, entry, collateral, mark, funding, tiers):
    """Say whether equity < maintenance margin at `mark` (strictly; docs/method.md, section 2)."""
    if qty == 0.0:
        return False
    k = tier_of(abs(qty) * mark, tiers)
    key = liquidation_key(qty, entry, collateral, tiers.deduction[k])
    if qty > 0.0:
        return mark * (1.0 - tiers.rate[k]) - funding < key
    return mark * (1.0 + tiers.rate[k]) - funding > key


def liquidation_prices(accounts: np.ndarray, tiers: TierTable, funding: float = 0.0) -> np.ndarray:
    """Return the price at which each account is liquidated under each tier's line.

    Parameters
    ----------
    accounts : structured array, shape (n,)
        Rows of `stress.accounts.ACCOUNT` with non-zero quantity.
    tiers : TierTable
    funding : float
        Cumulative funding per unit, quote per base.

    Returns
    -------
    numpy.ndarray, shape (n, count)
        Quote per base; with continuous tiers the liquidation price is the maximum over tiers for a long and
        the minimum for a short (MM is convex in notional).  Non-positive: never.
    """
    return np.stack([tier_prices(accounts, tiers, k, funding) for k in range(tiers.count)], axis=1)


def tier_prices(accounts: np.ndarray, tiers: TierTable, k: int, funding: float) -> np.ndarray:
    """Return the price at which each account is liquidated on the line of tier `k`, quote per base, shape (n,)."""
    key = liquidation_key(accounts["qty"], accounts["entry"], accounts["collateral"], tiers.deduction[k])
    return (key + funding) / (1.0 - np.sign(accounts["qty"]) * tiers.rate[k])
