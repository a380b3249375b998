"""When is an account with positions in several symbols liquidated, and as what?  (docs/method.md, section 14)

Rules read `legs`, the account's positions (rows of `stress.accounts.LEG`), and `desks`, the state of each symbol;
``legs[j].symbol`` is the desk of a leg.  One wallet backs all legs.
"""

import math

from stress.accounts import notional, unrealized_pnl
from stress.exchange.collateral import coins_counted, coins_for, counted
from stress.exchange.margin import maintenance_margin
from stress.rules import rule

BOUNDLESS = 1e300
ROUNDING = 1e-11  # of everything that was added up: far more than the rounding of the sums


@rule
def leg_profit(leg, desks):
    """Return the unrealised profit of one position at its mark, quote."""
    desk = desks[leg.symbol]
    return unrealized_pnl(leg.qty, leg.entry, desk.mark, desk.funding)


@rule
def leg_maintenance(leg, desks, books):
    """Return the maintenance margin of one position, quote; zero without a position."""
    if leg.qty == 0.0:
        return 0.0
    return maintenance_margin(notional(leg.qty, desks[leg.symbol].mark), books[leg.symbol].tiers)


@rule
def quote_equity(wallet, legs, desks):
    """Return W + sum of q(M - E - F): what an account is worth without its coins, quote."""
    value = wallet
    for j in range(len(legs)):
        value += leg_profit(legs[j], desks)
    return value


@rule
def total_maintenance(legs, desks, books):
    """Return the sum of the maintenance margins of all positions, quote."""
    total = 0.0
    for j in range(len(legs)):
        total += leg_maintenance(legs[j], desks, books)
    return total


@rule
def portfolio_is_breached(wallet, coins, legs, desks, books, prices, assets):
    """Say whether equity, coins at their haircut, is below the sum of maintenance margins (strictly)."""
    value = quote_equity(wallet, legs, desks) + coins_counted(coins, prices, assets)
    need = total_maintenance(legs, desks, books)
    return need > 0.0 and value < need


@rule
def backing(coins, legs, symbol, desks, prices, assets):
    """Return what backs the position in `symbol` besides the wallet: the other legs' profit, and coins, quote."""
    worth = coins_counted(coins, prices, assets)
    for j in range(len(legs)):
        if legs[j].symbol != symbol:
            worth += leg_profit(legs[j], desks)
    return worth


@rule
def split_wallet(wallet, legs, desks, books):
    """Turn every leg into an isolated account: equity is shared by maintenance margin, on the cent grid.

    So the bankruptcy price of leg p is P_p - EQ (MM_p / MM) / q_p.  The last leg takes the rounding.
    """
    value = quote_equity(wallet, legs, desks)
    total = total_maintenance(legs, desks, books)
    left, last = wallet, 0
    for j in range(len(legs)):
        if legs[j].qty != 0.0:
            last = j
    for j in range(last):
        leg = legs[j]
        if leg.qty != 0.0:
            cent = books[leg.symbol].cent
            share = value * (leg_maintenance(leg, desks, books) / total)
            leg.collateral = math.floor((share - leg_profit(leg, desks)) / cent) * cent
            left -= leg.collateral
    legs[last].collateral = left


@rule
def move_to_desks(wallet, legs, desks):
    """Book what `split_wallet` did: the wallet leaves the desk of the first leg, each leg's margin enters its own."""
    home = desks[legs[0].symbol]
    home.alive_collateral -= wallet
    home.deposits -= wallet
    for j in range(len(legs)):
        leg = legs[j]
        if leg.qty != 0.0:
            desk = desks[leg.symbol]
            desk.alive_collateral += leg.collateral
            desk.deposits += leg.collateral


@rule
def pay_in(paid, legs, desks):
    """Book money that enters an account's wallet from outside."""
    home = desks[legs[0].symbol]
    home.alive_collateral += paid
    home.deposits += paid


@rule
def sell_all_coins(coins, prices, assets, cent):
    """Sell everything at the cut; return the proceeds, quote, in whole cents."""
    raised = 0.0
    for a in range(len(prices)):
        raised += coins[a] * prices[a] * assets[a].kept
        coins[a] = 0.0
    return math.floor(raised / cent) * cent


@rule
def sell_coins_for_debt(value, coins, prices, assets, cent):
    """Sell coins for a debt in the quote currency (`value` < 0) beyond what the venue bears; return the proceeds."""
    raised = 0.0
    for a in range(len(prices)):
        debt = -(value + raised)
        if debt > assets[a].debt and coins[a] > 0.0:
            asked = math.ceil(debt / cent) * cent
            sold = min(coins[a], coins_for(asked, prices[a], assets[a].kept))
            raised += asked if sold < coins[a] else math.floor(sold * prices[a] * assets[a].kept / cent) * cent
            coins[a] -= sold
    return raised


@rule
def safe_move(wallet, coins, legs, desks, books, prices, assets):
    """Return a relative move of marks, coins and funding up to which an account is surely left alone.

    A move of every mark by at most r (funding paid, relative to the mark, included) changes equity less maintenance
    by at most r sum |q| M (1 + m_max), and coins by at most r times their value at the largest ratio.  Negative:
    it must be looked at always.
    """
    value, need, reach, gross = wallet, 0.0, 0.0, abs(wallet)
    for j in range(len(legs)):
        leg = legs[j]
        if leg.qty != 0.0:
            desk, book = desks[leg.symbol], books[leg.symbol]
            if book.monotone == 0:
                return -1.0
            size = notional(leg.qty, desk.mark)
            value += leg_profit(leg, desks)
            need += leg_maintenance(leg, desks, books)
            reach += size * (1.0 + book.tiers.rate[book.tiers.count - 1])
            gross += size + abs(leg.qty) * (leg.entry + abs(desk.funding))
    if reach == 0.0:
        return BOUNDLESS
    cushion = value - need
    for a in range(len(prices)):
        if coins[a] > 0.0:
            worth = coins[a] * prices[a]
            cushion += counted(worth, assets[a])
            reach += worth * assets[a].largest_ratio
            gross += worth
    for a in range(len(prices)):
        if coins[a] > 0.0:
            cushion = min(cushion, value + assets[a].debt)
    return (cushion - ROUNDING * gross) / reach


@rule
def moved_since(marks, fundings, before, desks, prices):
    """Return the largest relative move since the anchor: of marks with funding, and of coins."""
    furthest = 0.0
    for d in range(len(marks)):
        mark, funding = desks[d].mark, desks[d].funding
        furthest = max(furthest, (abs(mark - marks[d]) + abs(funding - fundings[d])) / marks[d])
    for a in range(len(prices)):
        furthest = max(furthest, abs(prices[a] - before[a]) / before[a])
    return furthest
