"""When is an account liquidated?  Tiered maintenance margin (docs/method.md, section 2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from stress.registry import Settings
from stress.rules import rule

DEDUCTION_ROUNDING = 0.5  # USD: venues publish whole dollars
MAX_TIERS = 24  # tables are padded, so that another table does not compile another kernel


class Tier(Settings):
    """One step of the tier table: positions up to `cap_usd`, or up to `cap_coin` where the money is a coin.

    `floor_usd` and `deduction`, as a venue publishes them, are checked against the other tiers and change nothing.
    """

    cap_usd: float | None = Field(default=None, gt=0)
    cap_coin: float | None = Field(default=None, gt=0)
    max_leverage: float = Field(ge=1, le=1000)
    maintenance_margin_rate: float = Field(gt=0, lt=1)
    floor_usd: float | None = Field(default=None, ge=0)
    deduction: float | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class TierTable:
    """Tiers as rules read them: notional in (cap[k-1], cap[k]] belongs to tier k.

    Margin is on the current value, ``at_mark = 1`` and ``at_entry = 0``, or on the value at entry, the other way
    round: numbers, so that another basis does not compile another kernel.
    """

    count: int
    cap: tuple[float, ...]
    rate: tuple[float, ...]
    deduction: tuple[float, ...]
    max_leverage: tuple[float, ...]
    at_mark: float = 1.0
    at_entry: float = 0.0

    @classmethod
    def of(cls, tiers: tuple[Tier, ...], *, continuous: bool, basis: str = "mark") -> "TierTable":
        """Build the padded table; ``continuous`` adds the deductions that join the tiers.

        c_1 = 0, c_k = c_{k-1} + lo_k (m_k - m_{k-1}); without them (``cliff``) the rate of the tier that is
        reached applies to the whole position.  `basis` is "mark" or "entry".
        """
        rates = [tier.maintenance_margin_rate for tier in tiers]
        caps = [tier.amount("cap") for tier in tiers]
        deductions = [0.0]
        for k in range(1, len(tiers)):
            deductions.append(deductions[-1] + caps[k - 1] * (rates[k] - rates[k - 1]) * continuous)
        leverage = [tier.max_leverage for tier in tiers]
        bases = (float(basis == "mark"), float(basis == "entry"))
        return cls(len(tiers), _pad(caps), _pad(rates), _pad(deductions), _pad(leverage), *bases)


def tier_problems(tiers: tuple[Tier, ...], *, continuous: bool) -> Iterator[tuple[str, str]]:
    """Yield (key, message) where tiers overlap, leave a gap, fall, or state another deduction than theirs."""
    for i, tier in enumerate(tiers):
        rate, before = tier.maintenance_margin_rate, tiers[i - 1] if i else None
        if rate >= 1.0 / tier.max_leverage:
            yield (
                f"tier.{i}.maintenance_margin_rate",
                f"{rate:g} is not below the initial margin 1/{tier.max_leverage:g}",
            )
        if before and tier.amount("cap") <= before.amount("cap"):
            key = "cap_usd" if tier.cap_coin is None else "cap_coin"
            yield f"tier.{i}.{key}", f"{tier.amount('cap'):g} overlaps the tier before it: caps must rise"
        if before and rate < before.maintenance_margin_rate:
            yield f"tier.{i}.maintenance_margin_rate", "falls below the tier before it: rates must not fall"
        if before and tier.max_leverage > before.max_leverage:
            yield f"tier.{i}.max_leverage", "rises above the tier before it: leverage must not rise"
        yield from _floor_problems(i, tier, before.amount("cap") if before else 0.0)
    yield from _deduction_problems(tiers, continuous)


def _floor_problems(i: int, tier: Tier, lowest: float) -> Iterator[tuple[str, str]]:
    if tier.floor_usd is not None and tier.floor_usd != lowest:
        said = "overlaps the tier before it" if tier.floor_usd < lowest else "leaves a gap to the tier before it"
        yield f"tier.{i}.floor_usd", f"{tier.floor_usd:g} {said}, which ends at {lowest:g}"


def _deduction_problems(tiers: tuple[Tier, ...], continuous: bool) -> Iterator[tuple[str, str]]:
    right = TierTable.of(tiers, continuous=continuous).deduction
    for i, tier in enumerate(tiers):
        if tier.deduction is not None and abs(tier.deduction - right[i]) > DEDUCTION_ROUNDING:
            why = "the rates and caps give" if continuous else "tier_mode = 'cliff' has"
            yield f"tier.{i}.deduction", f"{tier.deduction:,.2f} does not match: {why} {right[i]:,.2f}"


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
def margin_value(qty, entry, mark, tiers):
    """Return the notional that decides on tier and margin, quote: the current value, or that at entry."""
    return abs(qty) * (mark * tiers.at_mark + entry * tiers.at_entry)


@rule
def initial_margin(notional, tiers):
    """Return the least margin with which a position may be opened, quote: notional over its tier's leverage."""
    return notional / tiers.max_leverage[tier_of(notional, tiers)]


@rule
def required_margin(qty, entry, mark, tiers):
    """Return the maintenance margin of a position, quote."""
    return maintenance_margin(margin_value(qty, entry, mark, tiers), tiers)


@rule
def liquidation_key(qty, entry, collateral, deduction):
    """Return E - (W + c)/q, the account's side of the test "equity < maintenance margin".

    W + q(M - E - F) < |q| M m - c  is, divided by q,  M(1 - m) - F < key  for a long and
    M(1 + m) - F > key  for a short: all accounts of a tier compare one number with their key.  Where the margin is
    on the value at entry, m moves to the other side: the entry of a long counts as E(1 + m), of a short E(1 - m).
    """
    return entry - (collateral + deduction) / qty


@rule
def is_breached(qty, entry, collateral, mark, funding, tiers):
    """Say whether equity < maintenance margin at `mark` (strictly; docs/method.md, section 2).

    A loop over all accounts asks once for the basis and calls one of the two that follow.
    """
    if tiers.at_entry == 1.0:
        return is_breached_at_entry(qty, entry, collateral, mark, funding, tiers)
    return is_breached_at_mark(qty, entry, collateral, mark, funding, tiers)


@rule
def is_breached_at_mark(qty, entry, collateral, mark, funding, tiers):
    """Say it where the margin is on the current value."""
    if qty == 0.0:
        return False
    k = tier_of(abs(qty) * mark, tiers)
    key = liquidation_key(qty, entry, collateral, tiers.deduction[k])
    if qty > 0.0:
        return mark * (1.0 - tiers.rate[k]) - funding < key
    return mark * (1.0 + tiers.rate[k]) - funding > key


@rule
def is_breached_at_entry(qty, entry, collateral, mark, funding, tiers):
    """Say it where the margin is on the value at entry, which stands still with the price."""
    if qty == 0.0:
        return False
    k = tier_of(abs(qty) * entry, tiers)
    if qty > 0.0:
        return mark - funding < liquidation_key(qty, entry * (1.0 + tiers.rate[k]), collateral, tiers.deduction[k])
    return mark - funding > liquidation_key(qty, entry * (1.0 - tiers.rate[k]), collateral, tiers.deduction[k])


def line_of(accounts: np.ndarray, tiers: TierTable, tier) -> tuple[np.ndarray, np.ndarray]:
    """Return the key of each account and the factor of the mark on the line of `tier`, one number or one for each.

    The arithmetic is that of `is_breached`, operation by operation: a factor of 1 and a rate of 0 change no digit.
    """
    side, rate = np.sign(accounts["qty"]), np.array(tiers.rate)[tier]
    entry = accounts["entry"] * (1.0 + side * (rate * tiers.at_entry))
    key = liquidation_key(accounts["qty"], entry, accounts["collateral"], np.array(tiers.deduction)[tier])
    return key, 1.0 - side * (rate * tiers.at_mark)


def breached(accounts: np.ndarray, mark: float, tiers: TierTable) -> np.ndarray:
    """Return `is_breached` for every account before any funding, shape (n,), to the last digit."""
    value = np.abs(accounts["qty"]) * (accounts["entry"] if tiers.at_entry else mark)
    tier = np.searchsorted(np.array(tiers.cap[: tiers.count - 1]), value, side="left")
    key, factor = line_of(accounts, tiers, tier)
    level = mark * factor
    return np.where(accounts["qty"] > 0.0, level < key, level > key)


def tier_at_entry(accounts: np.ndarray, tiers: TierTable) -> np.ndarray:
    """Return the tier of each account's value at entry, shape (n,)."""
    caps = np.array(tiers.cap[: tiers.count - 1])
    return np.searchsorted(caps, np.abs(accounts["qty"]) * accounts["entry"], side="left")


@rule
def price_on_line(qty, entry, collateral, funding, tiers, k):
    """Return the price that liquidates a position on the line of tier `k`."""
    side = 1.0 if qty > 0.0 else -1.0
    return (liquidation_key(qty, entry, collateral, tiers.deduction[k]) + funding) / (1.0 - side * tiers.rate[k])


@rule
def liquidation_price(qty, entry, collateral, funding, tiers):
    """Return the price that liquidates a position: the extreme over continuous tiers; see `liquidation_prices`.

    The margin is convex in the value, so that prices rise and then fall along the tiers: from the tier of the value at
    entry the way up is found, mostly in one step.
    """
    side, k = 1.0 if qty > 0.0 else -1.0, tier_of(abs(qty) * entry, tiers)
    if tiers.at_entry > 0.0:
        return liquidation_key(qty, entry * (1.0 + side * tiers.rate[k]), collateral, tiers.deduction[k]) + funding
    best = side * price_on_line(qty, entry, collateral, funding, tiers, k)
    for way in (-1, 1):
        at = k + way
        while 0 <= at < tiers.count:
            price = side * price_on_line(qty, entry, collateral, funding, tiers, at)
            if price <= best:
                break
            best, at = price, at + way
    return side * best


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
    numpy.ndarray, shape (n, count), or (n, 1) where the margin is on the value at entry, which decides the tier
        Quote per base; with continuous tiers the liquidation price is the maximum over tiers for a long and
        the minimum for a short (MM is convex in notional).  Non-positive: never.
    """
    if tiers.at_entry:
        return tier_prices(accounts, tiers, tier_at_entry(accounts, tiers), funding)[:, None]
    return np.stack([tier_prices(accounts, tiers, k, funding) for k in range(tiers.count)], axis=1)


def tier_prices(accounts: np.ndarray, tiers: TierTable, k, funding: float) -> np.ndarray:
    """Return the price at which each account is liquidated on the line of tier `k`, quote per base, shape (n,)."""
    key, factor = line_of(accounts, tiers, k)
    return (key + funding) / factor
