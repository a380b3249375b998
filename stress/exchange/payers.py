"""Layers that pay in money: the insurance fund within its limits, a pool of fees, the operator."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator

from stress.exchange.limits import NO_LIMIT, Limit, compose_tightest, count_use, terms_of
from stress.exchange.waterfall import Layer, note_ruin
from stress.rules import rule


@rule
def take_share(case, share):
    """Let the fund take `share` of what remains."""
    case.fund_share = case.remaining * share
    case.fund_paid += case.fund_share * case.loss
    case.remaining -= case.fund_share


def compose_fund():
    """Return the fund's rule: of several limits the tightest binds."""
    covered, tightest = compose_tightest("covers"), compose_tightest()

    @rule
    def fund_absorbs(state, book, case, round_, accounts, living):
        """Pay what the limits allow and the marked fund can afford; in a shadow run, everything."""
        if case.by_quantity == 1:
            return
        share = 1.0
        if state.bottomless == 0:
            due, able = case.remaining * case.loss, max(0.0, case.fund_capacity - case.fund_paid)
            asked = max(0.0, min(due, covered(state, book, case, round_)))
            allowed = max(0.0, min(asked, tightest(state, book, case, round_)))
            if allowed > able:
                note_ruin(state)
            paid = min(allowed, able)
            if paid < asked and book.layers.fund.all_or_nothing == 1.0:
                paid = 0.0
            share = paid / due if paid < due else 1.0
            count_use(state, share * due)
        take_share(case, share)

    return fund_absorbs


@rule
def pay(case, room):
    """Let somebody pay up to `room` of what remains; return the payment."""
    due = case.remaining * case.loss
    if case.by_quantity == 1 or due <= 0.0 or room <= 0.0:
        return 0.0
    paid = min(due, room)
    case.contributed += paid
    case.remaining = case.remaining * (1.0 - paid / due) if paid < due else 0.0
    return paid


@rule
def fee_pool_absorbs(state, book, case, round_, accounts, living):
    """Pay from a pool of fees until it is empty."""
    state.fee_pool_paid += pay(case, book.layers.fee_pool.usd - state.fee_pool_paid)


@rule
def operator_absorbs(state, book, case, round_, accounts, living):
    """Let the operator pay up to what it is willing to."""
    state.operator_paid += pay(case, book.layers.operator.limit_usd - state.operator_paid)


class Fund(Layer, kind="fund"):
    """The insurance fund covers the fraction that it can afford, pro rata to each account's shortfall.

    `limits` restrict what it pays and holds, whatever it has; `payment` says whether a case that it cannot
    or may not pay in full is paid in part (public code of Drift v2) or not at all (public code of dYdX v4).
    Accounts whose losses a limit says are not the fund's are refused first, and no part of that.
    """

    limits: tuple[Annotated[SerializeAsAny[Limit], BeforeValidator(Limit.choose)], ...] = ()
    payment: Literal["partial", "all_or_nothing"] = "partial"

    @field_validator("limits")
    @classmethod
    def _fit_together(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        kinds = [limit.kind for limit in limits]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"{kind!r} is repeated")
        windows = sorted({limit.window_hours for limit in limits} - {0.0})
        if len(windows) > 1:
            raise ValueError(f"'hours' must be the same for all limits, got {', '.join(f'{h:g}' for h in windows)}")
        return limits

    @property
    def limits_fund(self) -> bool:
        """Say whether anything but its size limits what the fund does."""
        return bool(self.limits) or self.payment == "all_or_nothing"

    @property
    def needs_every_step(self) -> bool:
        """Say whether a limit looks back."""
        return self.window_hours > 0.0

    @property
    def window_hours(self) -> float:
        """Return how far back the limits look."""
        return max((limit.window_hours for limit in self.limits), default=0.0)

    @classmethod
    def compose(cls) -> Any:
        """Close over all limits."""
        return compose_fund()

    def numbers(self) -> dict[str, float]:
        """Return the terms of all limits; those that are not in force are absent."""
        return {"all_or_nothing": float(self.payment == "all_or_nothing"), **terms_of(self.limits)}


class FeePool(Layer, kind="fee_pool"):
    """A pool of trading fees that pays before customers do (public code of Drift v2)."""

    usd: float = Field(ge=0)

    absorb = staticmethod(fee_pool_absorbs)

    def numbers(self) -> dict[str, float]:
        """Return the pool's balance at the start."""
        return {"usd": self.usd}


class Operator(Layer, kind="operator"):
    """The operator pays voluntarily, up to a limit if there is one (as operators did after several crashes)."""

    limit_usd: float | None = Field(default=None, ge=0)

    absorb = staticmethod(operator_absorbs)

    def numbers(self) -> dict[str, float]:
        """Return the limit."""
        return {"limit_usd": NO_LIMIT if self.limit_usd is None else self.limit_usd}
