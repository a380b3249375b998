"""When is an account with positions in several symbols liquidated, and as what?  (docs/method.md, section 14)

Rules read `legs`, the account's positions (rows of `stress.accounts.LEG`), and `desks`, the state of each symbol;
``legs[j].symbol`` is the desk of a leg.  One wallet backs all legs.
"""

import math

from stress.accounts import notional, unrealized_pnl
from stress.exchange.collateral import coins_counted, coins_for, counted
from stress.exchange.margin import required_margin
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
    return required_margin(leg.qty, leg.entry, desks[leg.symbol].mark, books[leg.symbol].tiers)


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
def watch(wallet, coins, legs, desks, books, prices, assets, weights):
    """Return how much may be lost before an account needs a look, quote, and what it may lose by.

    Equity less maintenance falls by at most ``weights[k]`` times the move of level k, where the levels are the marks,
    the funding of every desk, and the prices of coins: |q| (1 + m_max), |q| and the coins at their largest ratio.
    Fills `weights`; returns the cushion, negative if the account must be looked at always, and the sum of weight
    times level over marks and coins: what a move of all by 100 % would cost.
    """
    value, need, reach, gross = wallet, 0.0, 0.0, abs(wallet)
    n = len(books)
    weights[:] = 0.0
    for j in range(len(legs)):
        leg = legs[j]
        if leg.qty != 0.0:
            desk, book = desks[leg.symbol], books[leg.symbol]
            if book.monotone == 0:
                return -1.0, 1.0
            size = notional(leg.qty, desk.mark)
            value += leg_profit(leg, desks)
            need += leg_maintenance(leg, desks, books)
            weights[leg.symbol] = abs(leg.qty) * (1.0 + book.tiers.rate[book.tiers.count - 1])
            weights[n + leg.symbol] = abs(leg.qty)
            reach += weights[leg.symbol] * desk.mark
            gross += size + abs(leg.qty) * (leg.entry + abs(desk.funding))
    if reach == 0.0:
        return BOUNDLESS, 1.0
    cushion = value - need
    for a in range(len(prices)):
        if coins[a] > 0.0:
            worth = coins[a] * prices[a]
            cushion += counted(worth, assets[a])
            weights[2 * n + a] = coins[a] * assets[a].largest_ratio
            reach += worth * assets[a].largest_ratio
            gross += worth
    for a in range(len(prices)):
        if coins[a] > 0.0:
            cushion = min(cushion, value + assets[a].debt)
    return cushion - ROUNDING * gross, reach


@rule
def read_levels(desks, n, prices, levels):
    """Fill `levels` with the marks and the funding of `n` desks and the prices of coins."""
    for d in range(n):
        levels[d] = desks[d].mark
        levels[n + d] = desks[d].funding
    for a in range(len(prices)):
        levels[2 * n + a] = prices[a]


@rule
def moved_since(anchor, levels, n):
    """Return the largest relative move of the levels since the anchor; funding counts with its mark."""
    furthest = 0.0
    for d in range(n):
        moved = abs(levels[d] - anchor[d]) + abs(levels[n + d] - anchor[n + d])
        furthest = max(furthest, moved / anchor[d])
    for a in range(2 * n, len(levels)):
        furthest = max(furthest, abs(levels[a] - anchor[a]) / anchor[a])
    return furthest
