"""How much of a bankrupt batch is handed over to somebody else instead of being sold, and who pays the difference?

The steps that every layer shares which takes quantity rather than paying money: ask for the case's remaining
fraction in whole lots, find the transfer price, and book what that price differs from bankruptcy.
"""

from stress.accounts import bankruptcy_price, lots_down, lots_up
from stress.exchange.limits import compose_tightest, count_use
from stress.exchange.waterfall import marked_gain, takes_part
from stress.rules import rule

# A shortfall left over below this share of the case is rounding, not a loss for the next layer.
NOTHING_LEFT = 1e-12


@rule
def ask_for(book, case, round_, asked, fraction):
    """Ask to hand over `fraction` of each short account, rounded up to lots, at most what is left of it."""
    for j in range(len(round_.batch)):
        if takes_part(case, round_, j):
            size = abs(round_.batch[j].qty)
            asked[j] = min(size - round_.moved[j], lots_up(fraction * size, book.lot))


@rule
def shrink_to(book, asked, ratio):
    """Reduce what is asked for to `ratio` of it, rounded down to lots."""
    for j in range(len(asked)):
        asked[j] = lots_down(ratio * asked[j], book.lot)


@rule
def total_up(state, case, round_, asked, price_rule, price_code):
    """Set quantity, shortfall and price of what is handed over: both sides exchange the same money."""
    case.quantity = 0.0
    case.relieved = 0.0
    case.bankruptcy_value = 0.0
    for j in range(len(round_.batch)):
        if asked[j] > 0.0:
            a, size = round_.batch[j], float(asked[j])
            case.quantity += size
            worse = 1.0 if case.by_quantity == 1 else max(0.0, -marked_gain(state, case, round_, j))
            case.relieved += size / abs(a.qty) * worse
            case.bankruptcy_value += size * bankruptcy_price(a.qty, a.entry, a.collateral, state.funding)
    if case.quantity > 0.0:
        mean = case.bankruptcy_value / case.quantity
        case.transfer_price = price_rule(price_code, mean, state.mark, state.previous_mark, state.index)


def compose_handing():
    """Return ``hand_over(state, book, case, round_, asked)``, which books what was handed over."""
    most_of_cost = compose_tightest("cost")

    @rule
    def pay_cost(state, book, case, round_, owed):
        """Let the fund pay, as far as it has and may, what the price costs; return the rest."""
        able = max(0.0, case.fund_capacity - case.fund_paid)
        paid = min(owed, min(able, max(0.0, most_of_cost(state, book, case, round_))))
        case.fund_paid += paid
        count_use(state, paid)
        return owed - paid

    @rule
    def hand_over(state, book, case, round_, asked):
        """Shrink the case by the shortfall handed over, less what the price costs beyond the fund and its limits."""
        for j in range(len(asked)):
            round_.moved[j] += float(asked[j])
        owed = case.side * (case.bankruptcy_value - case.quantity * case.transfer_price)
        if abs(owed) <= NOTHING_LEFT * case.bankruptcy_value:
            owed = 0.0
        case.owed += owed
        unpaid = 0.0
        if owed > 0.0 and state.bottomless == 0 and case.by_quantity == 0:
            unpaid = pay_cost(state, book, case, round_, owed)
        left = case.remaining - (case.relieved - unpaid) / case.loss
        case.remaining = left if left > NOTHING_LEFT else 0.0

    return hand_over
