"""Who pays when a liquidation is worse than bankruptcy?  An ordered list of layers.

A batch's shortfall passes through the layers in the configured order.  Every layer takes the same fraction of
each account's shortfall; what it leaves goes on, as quantity at its bankruptcy price, to the next one.  A loss
is attributed to exactly one layer; what no layer takes is `unresolved_shortfall`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from stress.exchange.settlement import attribute, flatten, fund_value
from stress.registry import Part
from stress.rules import rule


@dataclass
class Case:
    """The shortfall of one side of one round on its way through the layers."""

    side: float = 0.0  # +1: longs were liquidated
    price: float = 0.0  # at which the shortfall is marked: fills now, later for what is taken over
    loss: float = 0.0  # marked shortfall of the whole side, quote
    remaining: float = 1.0  # fraction that no layer has taken yet
    fund_capacity: float = 0.0  # marked fund before this shortfall, quote
    fund_share: float = 0.0  # fraction taken by the fund
    socialized: float = 0.0  # quote charged to winners
    deleveraged: float = 0.0  # quantity closed against winners
    relieved: float = 0.0  # shortfall that this quantity would have been, quote
    transfer_price: float = 0.0  # mean bankruptcy price of that quantity


class Layer(Part):
    """Family of waterfall layers.

    ``absorb`` is a rule ``(state, book, case, batch, short, moved, accounts, living)``: `batch` holds the
    liquidated accounts, ``short[j]`` is 1 for those of the case, ``moved[j]`` the quantity of each that was
    deleveraged; `accounts` are all accounts and `living` the indices that still hold a position.
    """

    absorb: ClassVar[Any]

    def compose(self) -> Any:
        """Return the layer's rule; layers with choices of their own close over them."""
        return type(self).absorb

    def choices(self) -> tuple[str, ...]:
        """Return what distinguishes the layer's compiled rules; parameters are numbers, not choices."""
        return (self.kind,)

    def numbers(self) -> dict[str, float]:
        """Return the layer's parameters for the record of the rulebook."""
        return {"present": 1.0}


@rule
def fund_absorbs(state, book, case, batch, short, moved, accounts, living):
    """Pay the fraction that the marked fund can afford; in a shadow run, everything."""
    share = 1.0
    if state.bottomless == 0:
        due = case.remaining * case.loss
        if due > case.fund_capacity:
            share = max(0.0, case.fund_capacity) / due
    case.fund_share = case.remaining * share
    case.remaining -= case.fund_share


@rule
def winners_absorb(state, book, case, batch, short, moved, accounts, living):
    """Charge winners in proportion to their unrealised profit, at most all of it (S1, docs/method.md, section 6)."""
    due = case.remaining * case.loss
    total = max(0.0, maker_profit(state))
    for i in living:
        total += max(0.0, profit(state, accounts[i]))
    rate = min(1.0, due / total) if total > 0.0 else 0.0
    if rate == 0.0:
        return
    state.touched = 1
    for i in living:
        charge = rate * max(0.0, profit(state, accounts[i]))
        accounts[i].collateral -= charge
        state.alive_collateral -= charge
    state.maker_collateral -= rate * max(0.0, maker_profit(state))
    case.socialized = rate * total
    case.remaining = 0.0 if rate < 1.0 else case.remaining * max(0.0, 1.0 - total / due)


@rule
def profit(state, account):
    """Return an account's unrealised profit at the mark, quote."""
    return account.qty * (state.mark - account.entry - state.funding)


@rule
def maker_profit(state):
    """Return the makers' profit at the mark, quote."""
    return state.maker_qty * (state.mark - state.funding) - state.maker_cost


class Fund(Layer, kind="fund"):
    """The insurance fund covers the fraction that it can afford, pro rata to each account's shortfall."""

    absorb = staticmethod(fund_absorbs)


class Socialize(Layer, kind="socialize"):
    """Winners pay in proportion to their profit."""

    absorb = staticmethod(winners_absorb)


def compose_waterfall(layers):
    """Chain the layers into one rule that calls them in order."""

    @rule
    def nobody(state, book, case, batch, short, moved, accounts, living):
        """Take nothing: the end of the waterfall."""
        return None

    chain = nobody
    for layer in reversed(layers):
        chain = _before(layer.compose(), chain)
    return chain


def _before(first, rest):
    @rule
    def absorb(state, book, case, batch, short, moved, accounts, living):
        """Let this layer take its part, then the rest of the waterfall."""
        if case.remaining > 0.0:
            first(state, book, case, batch, short, moved, accounts, living)
        rest(state, book, case, batch, short, moved, accounts, living)

    return absorb


@rule
def gain_of(state, account, price):
    """Return the equity of an account whose whole position is closed at `price`, quote."""
    return account.collateral + account.qty * (price - account.entry - state.funding)


@rule
def open_case(state, book, case, side, batch, short, fill, share, later):
    """Collect one side's shortfall: `share` of each account fills at `fill`, the rest is worth `later`."""
    case.side = side
    case.price = share * fill + (1.0 - share) * later
    case.loss = 0.0
    case.remaining = 1.0
    case.fund_share = 0.0
    case.socialized = 0.0
    case.deleveraged = 0.0
    for j in range(len(batch)):
        account = batch[j]
        if short[j] == 1 and account.qty * side > 0.0:
            case.loss += max(0.0, -gain_of(state, account, case.price))
    case.fund_capacity = book.fund_initial + fund_value(state, later)


@rule
def close_case(state, case, batch, short, moved, fill, share):
    """Book what the layers decided: executed shortfall, takeover and what winners and nobody paid."""
    executed = 0.0
    for j in range(len(batch)):
        account = batch[j]
        if short[j] == 1 and account.qty * case.side > 0.0:
            kept = 1.0 - moved[j] / abs(account.qty)
            lost = -kept * share * gain_of(state, account, fill)
            executed += lost
            attribute(state, account, -lost, 1.0 - kept * (1.0 - share))
            taken = kept * (1.0 - share)
            state.inventory += taken * account.qty
            state.inventory_cost += taken * (account.qty * account.entry - account.collateral)
    unresolved = max(0.0, case.remaining) * case.loss
    others = case.socialized + unresolved
    paid = min(executed, others)
    state.bad_debt += executed - paid
    state.inventory_pnl += others - paid
    state.socialized_loss += case.socialized
    state.unresolved_shortfall += unresolved


@rule
def open_inventory_case(state, book, case, batch, short, moved, worth_price):
    """Present the inventory's loss beyond the fund as a case of one account, at its transfer price.

    Returns the deficit of the marked fund that no inventory stands against (quote >= 0).
    """
    deficit = -(book.fund_initial + fund_value(state, worth_price))
    lost = state.inventory_cost - state.inventory * (worth_price - state.funding)
    case.side = 1.0 if state.inventory > 0.0 else -1.0
    case.price = worth_price
    case.loss = lost
    case.remaining = min(1.0, deficit / lost) if lost > 0.0 else 0.0
    case.fund_capacity = 0.0
    case.fund_share = 0.0
    case.socialized = 0.0
    case.deleveraged = 0.0
    batch[0].qty = state.inventory
    batch[0].entry = state.inventory_cost / state.inventory
    batch[0].collateral = 0.0
    short[0] = 1
    moved[0] = 0.0
    return deficit - case.remaining * lost


@rule
def close_inventory_case(state, case, moved, rest):
    """Hand over what was deleveraged at its cost; book what winners and nobody paid."""
    share = moved[0] / abs(state.inventory)
    state.inventory_cost -= share * state.inventory_cost
    state.inventory -= case.side * moved[0]
    state.inventory_common -= share * state.inventory_common
    unresolved = max(0.0, case.remaining) * case.loss + max(0.0, rest)
    state.inventory_pnl += case.socialized + unresolved
    state.socialized_loss += case.socialized
    state.unresolved_shortfall += unresolved
    flatten(state)
