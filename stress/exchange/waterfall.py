"""Who pays when a liquidation is worse than bankruptcy?  An ordered list of layers.

A batch's shortfall passes through the layers in the configured order.  Every layer takes the same fraction of
each account's shortfall; what it leaves goes on, as quantity at its bankruptcy price, to the next one.  A loss
is attributed to exactly one layer; what no layer takes is `unresolved_shortfall`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from stress.exchange.settlement import attribute, flatten, fund_start, fund_value
from stress.registry import Part
from stress.rules import one_of, rule

# A loss below this share of open interest that nobody pays is rounding, not ruin.
UNRESOLVED = 1e-9


@dataclass
class Case:
    """The shortfall of one side of one round on its way through the layers."""

    side: float = 0.0  # +1: longs were liquidated
    fill: float = 0.0  # price of what is sold now
    later: float = 0.0  # price at which what is taken over may be sold
    loss: float = 0.0  # marked shortfall of the whole side, quote
    remaining: float = 1.0  # fraction that no layer has taken yet
    by_quantity: int = 0  # 1: no shortfall, but a position that the fund may not hold: payers have no part in it
    fund_capacity: float = 0.0  # marked fund before this shortfall, quote
    fund_paid: float = 0.0  # what it has promised of that, quote
    fund_share: float = 0.0  # fraction taken by the fund
    contributed: float = 0.0  # quote paid by anybody else
    deleveraged: float = 0.0  # quantity closed against winners
    owed: float = 0.0  # what transfers at another price than bankruptcy cost the fund, quote
    quantity: float = 0.0  # of the transfer under way
    relieved: float = 0.0  # shortfall that this quantity would have been, quote
    bankruptcy_value: float = 0.0  # this quantity at its bankruptcy prices, quote
    transfer_price: float = 0.0  # at which the other side takes it over


class Layer(Part):
    """Family of waterfall layers.

    ``absorb`` is a rule ``(state, book, case, round_, accounts, living)``: the round's `batch` holds the
    liquidated accounts, ``short[j]`` is 1 for those of the case, ``moved[j]`` the quantity of each that was
    handed over; `accounts` are all accounts and `living` the indices that still hold a position.
    """

    absorb: ClassVar[Any]

    @property
    def needs_every_step(self) -> bool:
        """Say whether the layer remembers what happened, so that no step of a path may be skipped."""
        return False

    @property
    def window_hours(self) -> float:
        """Return how far back the layer looks at the fund; 0 if it does not."""
        return 0.0

    @property
    def limits_fund(self) -> bool:
        """Say whether the layer may refuse what the fund could pay."""
        return False

    @classmethod
    def compose(cls) -> Any:
        """Return the kind's rule; kinds with choices of their own close over all of them."""
        return cls.absorb

    def numbers(self) -> dict[str, float]:
        """Return the layer's parameters for the record of the rulebook."""
        return {"present": 1.0}


def layer_numbers(layers: tuple[Layer, ...]) -> dict[str, dict[str, float]]:
    """Return the parameters of every kind of layer, zero for those that the waterfall does not have."""
    given = {layer.kind: layer for layer in layers}
    return {kind: given[kind].numbers() if kind in given else _absent(kind) for kind in sorted(Layer.family)}


def _absent(kind: str) -> dict[str, float]:
    member = Layer.family[kind]
    needed = {name: 0.0 for name, field in member.model_fields.items() if field.is_required()}
    return dict.fromkeys(member.model_validate(needed).numbers(), 0.0)  # type: ignore[attr-defined]


def layer_order(layers: tuple[Layer, ...]) -> tuple[float, ...]:
    """Return the codes of the layers in their order, padded: each kind appears at most once."""
    return tuple(float(layer.code) for layer in layers) + (-1.0,) * (len(Layer.family) - len(layers))


@rule
def profit(state, account):
    """Return an account's unrealised profit at the mark, quote."""
    return account.qty * (state.mark - account.entry - state.funding)


@rule
def maker_profit(state):
    """Return the makers' profit at the mark, quote."""
    return state.maker_qty * (state.mark - state.funding) - state.maker_cost


def compose_waterfall():
    """Return the rule that calls the layers in the order of the rulebook."""
    let_absorb = one_of([compose() for compose in Layer.rules("compose")])

    @rule
    def absorb(state, book, case, round_, accounts, living):
        """Let every layer take its part, until nothing is left."""
        for i in range(book.n_layers):
            if case.remaining > 0.0:
                let_absorb(int(book.layer_order[i]), state, book, case, round_, accounts, living)

    return absorb


@rule
def gain_of(state, account, price):
    """Return the equity of an account whose whole position is closed at `price`, quote."""
    return account.collateral + account.qty * (price - account.entry - state.funding)


@rule
def takes_part(case, round_, j):
    """Say whether account `j` of a round falls short on the case's side."""
    return round_.short[j] == 1 and round_.batch[j].qty * case.side > 0.0


@rule
def marked_gain(state, case, round_, j):
    """Return account `j`'s equity as the case marks it: what is sold at the fill, the rest at the later price."""
    sold = round_.sold[j]
    return gain_of(state, round_.batch[j], sold * case.fill + (1.0 - sold) * case.later)


@rule
def open_empty_case(case, side, fill, later):
    """Begin a case that nobody has paid for yet."""
    case.side = side
    case.fill = fill
    case.later = later
    case.loss = 0.0
    case.remaining = 1.0
    case.by_quantity = 0
    case.fund_capacity = 0.0
    case.fund_paid = 0.0
    case.fund_share = 0.0
    case.contributed = 0.0
    case.deleveraged = 0.0
    case.owed = 0.0


@rule
def open_case(state, book, case, side, round_, fill, later):
    """Collect one side's shortfall: what is sold of each account fills at `fill`, the rest is worth `later`."""
    open_empty_case(case, side, fill, later)
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            case.loss += max(0.0, -marked_gain(state, case, round_, j))
    case.fund_capacity = fund_start(state, book) + fund_value(state, later)


@rule
def executed_loss(state, case, round_, j):
    """Return the loss on what is sold of account `j`, less what was handed over."""
    account = round_.batch[j]
    kept = 1.0 - round_.moved[j] / abs(account.qty)
    return -kept * round_.sold[j] * gain_of(state, account, case.fill)


@rule
def close_case(state, case, round_):
    """Book what the layers decided: executed shortfall, transfers, takeover and what others and nobody paid."""
    executed, handed = 0.0, 0.0
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            executed += executed_loss(state, case, round_, j)
            handed += round_.moved[j]
    unresolved = max(0.0, case.remaining) * case.loss
    due, others = executed + max(0.0, case.owed), case.contributed + unresolved
    paid = min(due, others)
    state.bad_debt += due - paid
    state.surplus += max(0.0, -case.owed)
    state.inventory_pnl += others - paid
    leave_unresolved(state, unresolved)
    fund_part = 1.0 - paid / due if paid > 0.0 else 1.0
    per_unit = case.owed / handed if case.owed != 0.0 else 0.0
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            account = round_.batch[j]
            lost = executed_loss(state, case, round_, j) + per_unit * round_.moved[j]
            taken = (1.0 - round_.moved[j] / abs(account.qty)) * (1.0 - round_.sold[j])
            attribute(state, account, -fund_part * lost, 1.0 - taken)
            state.inventory += taken * account.qty
            state.inventory_cost += taken * (account.qty * account.entry - account.collateral)


@rule
def leave_unresolved(state, amount):
    """Book a loss that nobody pays; more than rounding is ruin, whatever the fund still holds."""
    state.unresolved_shortfall += amount
    if amount > UNRESOLVED * state.open_interest:
        note_ruin(state)


@rule
def note_ruin(state):
    """Note the first step at which a fund with a bottom was asked for more than it had."""
    if state.ruin_step < 0:
        state.ruin_step = state.step


@rule
def open_inventory_case(state, book, case, round_, worth_price):
    """Present the inventory's loss beyond the fund as a case of one account, at its transfer price.

    Returns the deficit of the marked fund that no inventory stands against (quote >= 0).
    """
    deficit = -(fund_start(state, book) + fund_value(state, worth_price))
    lost = state.inventory_cost - state.inventory * (worth_price - state.funding)
    open_empty_case(case, 1.0 if state.inventory > 0.0 else -1.0, worth_price, worth_price)
    case.loss = lost
    case.remaining = min(1.0, deficit / lost) if lost > 0.0 else 0.0
    seat_inventory(state, round_)
    note_ruin(state)
    return max(0.0, deficit - max(0.0, lost))


@rule
def seat_inventory(state, round_):
    """Let the inventory look like one account, bankrupt at its cost."""
    round_.batch[0].qty = state.inventory
    round_.batch[0].entry = state.inventory_cost / state.inventory
    round_.batch[0].collateral = 0.0
    round_.sold[0] = 0.0
    round_.short[0] = 1
    round_.moved[0] = 0.0


@rule
def open_excess_case(state, case, round_, worth_price, share):
    """Present `share` of the inventory, which the fund may not hold, to the layers that take quantity."""
    open_empty_case(case, 1.0 if state.inventory > 0.0 else -1.0, worth_price, worth_price)
    case.by_quantity = 1
    case.loss = 1.0
    case.remaining = share
    seat_inventory(state, round_)


@rule
def close_inventory_case(state, case, round_, rest):
    """Hand over what was taken at its cost; book what others and nobody paid."""
    share = round_.moved[0] / abs(state.inventory)
    state.inventory_cost -= share * state.inventory_cost
    state.inventory -= case.side * round_.moved[0]
    state.inventory_common -= share * state.inventory_common
    state.inventory_pnl -= case.owed
    if case.by_quantity == 0:
        unresolved = max(0.0, case.remaining) * case.loss + rest
        state.inventory_pnl += case.contributed + unresolved
        leave_unresolved(state, unresolved)
    flatten(state)
