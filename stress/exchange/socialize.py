"""Who shares a loss that the fund does not pay, and in which proportion?  (docs/method.md, section 6)

Everybody's charge is proportional to a weight and capped at what the account is worth; what the caps leave
stays with the case.
"""

from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import AfterValidator, Field

from stress.accounts import equity
from stress.exchange.handover import NOTHING_LEFT
from stress.exchange.waterfall import Layer, maker_profit, profit
from stress.registry import Part
from stress.rules import one_of, rule

EVERYTHING = 1e300


class Holder(NamedTuple):
    """What a basis may know of whoever might be charged; money in quote."""

    size: float  # |quantity|
    mark: float
    profit: float
    equity: float
    collateral: float
    is_maker: int


@rule
def no_limit(total, pool, share):
    """Charge whatever is due."""
    return EVERYTHING


class LossBasis(Part):
    """Family of bases of socialised loss.

    ``weigh`` is a rule ``(holder) -> (weight, most)``: charges are proportional to the weight and end at `most`.
    ``limit`` is a rule ``(total weight, pool, share) -> quote``: what may be charged altogether.
    """

    weigh: ClassVar[Any]
    limit: ClassVar[Any] = staticmethod(no_limit)


@rule
def beyond_the_pool(total, pool, share):
    """Charge what all profits together exceed a share of the pool by."""
    return max(0.0, total - share * pool)


@rule
def weigh_profit(holder):
    """Weigh by profit; nobody pays more than was won."""
    won = max(0.0, holder.profit)
    return won, won


@rule
def weigh_size(holder):
    """Weigh by quantity: the same charge per unit on both sides."""
    return holder.size, EVERYTHING


@rule
def weigh_notional(holder):
    """Weigh by the value of the position at the mark."""
    return holder.size * holder.mark, EVERYTHING


@rule
def weigh_equity(holder):
    """Weigh by what could be withdrawn."""
    return max(0.0, holder.equity), EVERYTHING


@rule
def weigh_collateral(holder):
    """Weigh by the margin posted."""
    return max(0.0, holder.collateral), EVERYTHING


@rule
def weigh_pool(holder):
    """Let the makers, who are the pool, bear it alone."""
    return (max(0.0, holder.equity) if holder.is_maker == 1 else 0.0), EVERYTHING


class Profit(LossBasis, kind="profit"):
    """Winners pay in proportion to their unrealised profit (OKX's pages of 2018-20, Deribit's policy)."""

    weigh = staticmethod(weigh_profit)


class OpenInterest(LossBasis, kind="open_interest"):
    """The same charge per unit of position, longs and shorts (public code of Drift v2)."""

    weigh = staticmethod(weigh_size)


class Notional(LossBasis, kind="notional"):
    """In proportion to current notional (Cube's documentation); with one contract the same as per unit."""

    weigh = staticmethod(weigh_notional)


class PositiveEquity(LossBasis, kind="positive_equity"):
    """A haircut on withdrawals (Paradex's documentation; its denominator is not published, this is ours)."""

    weigh = staticmethod(weigh_equity)


class Collateral(LossBasis, kind="collateral"):
    """A haircut on deposits (public code of Drift v2, spot bankruptcies)."""

    weigh = staticmethod(weigh_collateral)


class LiquidityPool(LossBasis, kind="liquidity_pool"):
    """The makers' pool bears it (GMX, the vault of Hyperliquid)."""

    weigh = staticmethod(weigh_pool)


class ProfitCap(LossBasis, kind="profit_cap"):
    """Winners are paid at most a share of the pool, here the makers' equity (public code of GMX)."""

    weigh, limit = staticmethod(weigh_profit), staticmethod(beyond_the_pool)


@rule
def holder_of(state, account):
    """Return what is known of an account."""
    worth = equity(account.qty, account.entry, account.collateral, state.mark, state.funding)
    return Holder(abs(account.qty), state.mark, profit(state, account), worth, account.collateral, 0)


@rule
def makers(state):
    """Return what is known of the makers."""
    won = maker_profit(state)
    return Holder(abs(state.maker_qty), state.mark, won, state.maker_collateral + won, state.maker_collateral, 1)


def compose_socialize():
    """Return the layer rule that shares a loss; the basis is a number of the rulebook."""
    weigh, limit = one_of(LossBasis.rules("weigh")), one_of(LossBasis.rules("limit"))

    @rule
    def charge_of(basis, holder, rate):
        """Return what a holder pays at `rate` per weight: at most all that it has."""
        weight, most = weigh(basis, holder)
        return min(rate * weight, most, max(0.0, holder.equity))

    @rule
    def charge_all(state, basis, rate, accounts, living):
        """Book everybody's charge; return the sum."""
        state.touched = 1
        total = 0.0
        for i in living:
            charge = charge_of(basis, holder_of(state, accounts[i]), rate)
            accounts[i].collateral -= charge
            state.alive_collateral -= charge
            total += charge
        charge = charge_of(basis, makers(state), rate)
        state.maker_collateral -= charge
        return total + charge

    @rule
    def holders_absorb(state, book, case, round_, accounts, living):
        """Charge holders in proportion to their weights; what their caps leave stays with the case."""
        if case.by_quantity == 1:
            return
        terms = book.layers.socialize
        pool = makers(state)
        total, _ = weigh(terms.basis, pool)
        wealth = max(0.0, pool.equity)
        for i in living:
            holder = holder_of(state, accounts[i])
            weight, _ = weigh(terms.basis, holder)
            total += weight
            wealth += max(0.0, holder.equity)
        whole = case.remaining * case.loss
        due = min(whole, limit(terms.basis, total, max(0.0, pool.equity), terms.pool_share))
        if total <= 0.0 or due <= 0.0:
            return
        charged = charge_all(state, terms.basis, due / total, accounts, living)
        case.contributed += charged
        state.socialized_loss += charged
        state.haircut = max(state.haircut, charged / wealth if wealth > 0.0 else 0.0)
        left = case.remaining * (1.0 - charged / whole)
        case.remaining = left if left > NOTHING_LEFT * case.remaining else 0.0

    return holders_absorb


class Socialize(Layer, kind="socialize"):
    """Customers share the loss, on one basis; `pool_share` is that of ``profit_cap`` (GMX: 90 %)."""

    basis: Annotated[str, AfterValidator(LossBasis.known)] = "profit"
    pool_share: float = Field(default=0.9, ge=0, le=1)

    @classmethod
    def compose(cls) -> Any:
        """Close over all bases."""
        return compose_socialize()

    def numbers(self) -> dict[str, float]:
        """Return the basis's code and the share of the pool."""
        return {"basis": float(LossBasis.choose(self.basis).code), "pool_share": self.pool_share}
