"""When may the fund not pay, or not hold, although it could?  Limits on its use, which trigger what comes after it.

A limit looks whenever the fund is asked.  What it refuses goes on to the next layer, and positions that the fund
may not hold go to the layers that take quantity, at their cost (docs/method.md, section 6).

Limits are of two kinds.  Amounts of money (`floor`, `lifetime`, `per_step`) bind whatever the fund pays for, also
what deleveraging costs at another price than bankruptcy.  The others say when losses are no longer the fund's, so that
somebody is deleveraged: they do not bind what that then costs, which is the fund's by the venue's rule.
"""

import math
from typing import Any, ClassVar

from pydantic import Field, model_validator

from stress.exchange.history import peak_of
from stress.exchange.settlement import NO_LIMIT
from stress.exchange.waterfall import gain_of, marked_gain, takes_part
from stress.registry import Part
from stress.rules import rule

# A threshold that is met to within rounding is met.
MET = 1e-12


@rule
def any_payment(state, book, case, round_):
    """Allow any payment."""
    return NO_LIMIT


@rule
def any_position(state, book, fund, notional, lost):
    """Allow any position."""
    return NO_LIMIT


class Limit(Part):
    """Family of limits on the fund.

    ``room`` is a rule ``(state, book, case, round_) -> quote``: what the fund may pay for the case; ``cost``, the
    same for what a transfer at another price than bankruptcy costs; ``covers``, the shortfall of the accounts whose
    losses are the fund's at all, each of them whole.
    ``hold`` is a rule ``(state, book, fund, notional, lost) -> quote``: which notional of inventory it may hold,
    given the marked fund, the inventory's notional and its unrealised loss.  Their terms are numbers of the
    fund's record, ``<kind>_<key>``.
    """

    room: ClassVar[Any] = staticmethod(any_payment)
    cost: ClassVar[Any] = staticmethod(any_payment)
    covers: ClassVar[Any] = staticmethod(any_payment)
    hold: ClassVar[Any] = staticmethod(any_position)

    @property
    def window_hours(self) -> float:
        """Return how far back the limit looks; 0 if it does not."""
        return getattr(self, "hours", 0.0)


def terms_of(limits: tuple[Limit, ...]) -> dict[str, float]:
    """Return the numbers of every limit that there is; those not in force are zero, and say so."""
    given = {limit.kind: limit for limit in limits}
    terms: dict[str, float] = {}
    for kind, member in sorted(Limit.family.items()):
        terms[kind] = float(kind in given)
        for key in member.model_fields:
            if key != "kind":
                value = getattr(given.get(kind), key, None)
                terms[f"{kind}_{key}"] = NO_LIMIT if kind in given and value is None else float(value or 0.0)
    return terms


def compose_tightest(what: str = "room") -> Any:
    """Return the rule ``(state, book, case, round_) -> quote`` of the tightest limit: its ``room``, or `what`."""
    tightest = any_payment
    for kind in sorted(Limit.family):
        tightest = _tighter(kind, getattr(Limit.family[kind], what), tightest)
    return tightest


def _tighter(kind, room, rest):
    @rule
    def tightest(state, book, case, round_):
        """Apply this limit if it is in force, and the rest."""
        most = rest(state, book, case, round_)
        if getattr(book.layers.fund, kind) == 1.0:
            most = min(most, room(state, book, case, round_))
        return most

    return tightest


def compose_excess() -> Any:
    """Return the rule ``(state, book, fund, price) -> share`` of the inventory that the fund may not hold."""
    most_held = any_position
    for kind in sorted(Limit.family):
        most_held = _smaller(kind, Limit.family[kind].hold, most_held)  # type: ignore[attr-defined]

    @rule
    def excess(state, book, fund, price):
        """Compare the inventory with the tightest limit; a shadow fund holds anything."""
        notional = abs(state.inventory) * state.mark
        if state.bottomless == 1 or notional == 0.0:
            return 0.0
        lost = state.inventory_cost - state.inventory * (price - state.funding)
        return max(0.0, 1.0 - max(0.0, most_held(state, book, fund, notional, lost)) / notional)

    return excess


def _smaller(kind, hold, rest):
    @rule
    def most_held(state, book, fund, notional, lost):
        """Apply this limit if it is in force, and the rest."""
        most = rest(state, book, fund, notional, lost)
        if getattr(book.layers.fund, kind) == 1.0:
            most = min(most, hold(state, book, fund, notional, lost))
        return most

    return most_held


@rule
def count_use(state, amount):
    """Add what the fund pays to its use in this step and since the start."""
    if state.fund_used_at != state.step:
        state.fund_used_at = state.step
        state.fund_used_step = 0.0
    state.fund_used_step += amount
    state.fund_used += amount


@rule
def fund_now(case):
    """Return what the marked fund is worth after what it has promised in this case."""
    return case.fund_capacity - case.fund_paid


@rule
def peak_fund(state, book, fund):
    """Return the highest fund within the window."""
    return max(fund, book.fund_initial + peak_of(state.fund_peaks))


@rule
def above_drawdown(state, book, case, round_):
    """Pay until the fund has lost a share of its peak."""
    fund = fund_now(case)
    return fund - (1.0 - book.layers.fund.fund_drawdown_share) * peak_fund(state, book, fund)


@rule
def outside_a_pause(state, book, case, round_):
    """Pay until the fund has lost a share of its peak; then stay out for a while."""
    terms, fund, now = book.layers.fund, fund_now(case), state.step * book.step_hours
    if now < state.fund_out_until:
        return 0.0
    room = fund - (1.0 - terms.rolling_loss_share) * peak_fund(state, book, fund)
    if case.remaining * case.loss > room:
        state.fund_out_until = now + terms.rolling_loss_pause_hours
    return room


@rule
def before_the_trigger(state, book, case, round_):
    """Pay until (PnL - its peak) / peak fund meets the trigger; after that nothing until it is above the stop."""
    terms, fund = book.layers.fund, fund_now(case)
    if fund <= terms.pnl_drawdown_floor_usd:
        return NO_LIMIT
    pnl = fund - book.fund_initial - state.topped_up
    fell, pool = pnl - max(pnl, peak_of(state.value_peaks)), peak_fund(state, book, fund)
    if fell > terms.pnl_drawdown_stop * pool:
        state.deleveraging = 0
    if fell <= (terms.pnl_drawdown_trigger + MET) * pool:
        state.deleveraging = 1
    return 0.0 if state.deleveraging == 1 else fell - terms.pnl_drawdown_trigger * pool


@rule
def share_of_positions(state, book, case, round_):
    """Pay at most a share of the notional of the positions of the case."""
    notional = 0.0
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            notional += abs(round_.batch[j].qty) * state.mark
    return book.layers.fund.per_position_share_of_notional * notional


@rule
def left_of_the_step(state, book, case, round_):
    """Pay what this step has not used yet."""
    used = state.fund_used_step if state.fund_used_at == state.step else 0.0
    return book.layers.fund.per_step_usd - used


@rule
def left_of_the_lifetime(state, book, case, round_):
    """Pay what the fund has not paid yet of all that it may ever pay."""
    return book.layers.fund.lifetime_usd - state.fund_used


@rule
def above_the_floor(state, book, case, round_):
    """Pay what stands above the floor."""
    return fund_now(case) - book.layers.fund.floor_usd


@rule
def left_of_the_vault(state, book, case, round_):
    """Pay until the fund has lost so much since the start."""
    terms = book.layers.fund
    most = min(terms.vault_loss_usd, terms.vault_loss_share * book.fund_initial)
    return most - (book.fund_initial + state.topped_up - fund_now(case))


@rule
def solvent_at_the_mark(state, book, case, round_):
    """Pay for accounts that still had equity at the mark, and not for those that had none."""
    loss = 0.0
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j) and gain_of(state, round_.batch[j], state.mark) >= 0.0:
            loss += max(0.0, -marked_gain(state, case, round_, j))
    return case.remaining * loss


@rule
def losses_within_the_blocks(state, book, case, round_):
    """Pay for accounts that lose no more than is allowed to one in the blocks of a step, and not for the others."""
    terms = book.layers.fund
    blocks = max(1.0, math.floor(book.step_hours * 3600.0 / terms.per_account_block_seconds + MET))
    loss = 0.0
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            lost = max(0.0, -marked_gain(state, case, round_, j))
            if lost <= terms.per_account_usd * blocks * (1.0 + MET):
                loss += lost
    return case.remaining * loss


@rule
def hold_a_share_of_the_fund(state, book, fund, notional, lost):
    """Hold at most a multiple of the marked fund."""
    return book.layers.fund.inventory_cap_share_of_fund * fund


@rule
def hold_while_it_loses_little(state, book, fund, notional, lost):
    """Hold what loses at most a share of the fund."""
    most = book.layers.fund.inventory_loss_share_of_fund * max(0.0, fund)
    return NO_LIMIT if lost <= most else notional * (most / lost)


class InventoryCap(Limit, kind="inventory_cap"):
    """Takeovers beyond a multiple of the fund go to the next layer (Binance: 0.2 in September 2019, later 1)."""

    share_of_fund: float = Field(default=1.0, ge=0)
    hold = staticmethod(hold_a_share_of_the_fund)


class InventoryLoss(Limit, kind="inventory_loss"):
    """Positions whose unrealised loss exceeds a share of the fund are passed on (Binance 2025; share illustrative)."""

    share_of_fund: float = Field(default=0.1, ge=0)
    hold = staticmethod(hold_while_it_loses_little)


class RollingLoss(Limit, kind="rolling_loss"):
    """A fund that lost 7.5 % within 8 h stays out of payments for 8 h (Binance, September 2019)."""

    share: float = Field(default=0.075, gt=0, le=1)
    hours: float = Field(default=8.0, gt=0)
    pause_hours: float = Field(default=8.0, ge=0)
    room = staticmethod(outside_a_pause)


class FundDrawdown(Limit, kind="fund_drawdown"):
    """The fund pays until it is 30 % below its peak of the last 8 h (OKX's help page, as mirrored)."""

    share: float = Field(default=0.3, gt=0, le=1)
    hours: float = Field(default=8.0, gt=0)
    room = staticmethod(above_drawdown)


class PnlDrawdown(Limit, kind="pnl_drawdown"):
    """Bybit's pools: (PnL - peak) / peak fund over 8 h at -30 % starts deleveraging, above -25 % ends it."""

    trigger: float = Field(default=-0.30, ge=-1, lt=0)
    stop: float = Field(default=-0.25, ge=-1, le=0)
    floor_usd: float = Field(default=10_000.0, ge=0)
    hours: float = Field(default=8.0, gt=0)
    room = staticmethod(before_the_trigger)

    @model_validator(mode="after")
    def _in_order(self) -> "PnlDrawdown":
        if self.stop < self.trigger:
            raise ValueError(f"'stop' = {self.stop:g} is below 'trigger' = {self.trigger:g}")
        return self


class PerPosition(Limit, kind="per_position"):
    """A loss up to a share of the notional is accepted (Delta Exchange India: 5 % of BTC and ETH, 2 % of others).

    The share is applied to the case, of which every account bears the same fraction.
    """

    share_of_notional: float = Field(default=0.05, ge=0)
    room = staticmethod(share_of_positions)


class PerAccount(Limit, kind="per_account"):
    """So much per account and block, all or nothing for each account (dYdX v4: USD 1 m per subaccount and block).

    A step has time for as many blocks as fit into it.  What is refused is a part of the case, of which every account
    bears the same fraction.
    """

    usd: float = Field(default=1e6, ge=0)
    block_seconds: float = Field(default=1.0, gt=0, le=86_400)  # about a second, as in `exchange.partial`
    covers = staticmethod(losses_within_the_blocks)


class PerStep(Limit, kind="per_step"):
    """So much per step, all accounts together (illustrative)."""

    usd: float = Field(default=1e6, ge=0)
    room = cost = staticmethod(left_of_the_step)


class Lifetime(Limit, kind="lifetime"):
    """So much per path (Drift v2: USD 100 m for its first tier of markets)."""

    usd: float = Field(default=1e8, ge=0)
    room = cost = staticmethod(left_of_the_lifetime)


class Floor(Limit, kind="floor"):
    """A floor below which the fund refuses: an operator who keeps something back (illustrative)."""

    usd: float = Field(ge=0)
    room = cost = staticmethod(above_the_floor)


class VaultLoss(Limit, kind="vault_loss"):
    """A vault may lose so much since the start, in USD or as a share of it, the lesser of both.

    Hyperliquid has such a threshold since March 2025; it is not published.
    """

    usd: float | None = Field(default=None, ge=0)
    share: float = Field(default=1.0, ge=0, le=1)
    room = staticmethod(left_of_the_vault)


class NegativeEquity(Limit, kind="negative_equity"):
    """Accounts without equity at the mark are not the fund's business (Hyperliquid, dYdX v4)."""

    covers = staticmethod(solvent_at_the_mark)
