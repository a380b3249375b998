"""What the exchange holds while a path unfolds: prices, flow, fund, makers, and the record of the fund.

Rules change it by attribute, so the same rules work on this object (reference engine) and on a record of the
same fields (compiled engines).
"""

from dataclasses import dataclass, field

MAX_COHORTS = 16  # attribution keeps this many cohorts; the last one collects the rest


BUCKETS = 16  # the fund's recent history is kept in so many pieces


def _by_cohort() -> list[float]:
    return [0.0] * MAX_COHORTS


def _by_bucket() -> list[float]:
    return [0.0] * BUCKETS


@dataclass
class ExchangeState:
    """Fields are in base or quote units; all start at zero unless `engines.base` sets them."""

    # prices and liquidity
    initial_price: float = 0.0
    shock: float = 0.0  # log(index / initial price)
    index: float = 0.0
    mark: float = 0.0
    step: int = 0
    final: int = 0  # 1: the horizon, where everybody is settled whatever the engine was waiting for
    previous_mark: float = 0.0  # at the end of the step before, if no step is skipped
    funding: float = 0.0  # cumulative funding per unit, paid by longs
    funding_rate: float = 0.0  # that was paid last
    premium: float = 0.0  # the same, times the share of its interval that is left
    late_shock: float = 0.0  # what an oracle with a delay knows of the shock
    basis: float = 0.0  # average of own price / index - 1
    basis_step: int = -1
    depth: float = 1.0  # multiplier of normal depth
    per_depth: float = 1.0
    quotes: float = 1.0  # what deleveraged winners still quote, of normal
    surge: float = 1.0  # multiplier of normal volume
    depth_gone: float = 0.0
    depth_step: int = -1
    flow_at_trade: float = 0.0  # signed parent flow just after the last trade
    flow: float = 0.0  # the same, decayed to now
    flow_permanent: float = 0.0
    common_at_trade: float = 0.0  # what our crowd sent: other venues' forced flow is like it
    common_flow: float = 0.0
    trade_step: int = 0
    traded: float = 0.0  # by the exchange, in this step
    hedge: float = 0.0  # what deleveraged winners will trade outside at the next step
    common_hedge: float = 0.0

    # the fund
    bottomless: int = 1  # 1: shadow run, the fund pays whatever is asked; 0: configured waterfall
    surplus: float = 0.0
    bad_debt: float = 0.0
    fee_income: float = 0.0
    inventory: float = 0.0  # signed quantity taken over
    inventory_common: float = 0.0  # the crowd's part of it
    inventory_peak: float = 0.0  # largest notional carried, quote
    inventory_cost: float = 0.0  # what it cost, net of funding index
    inventory_pnl: float = 0.0  # realised by unwinding
    coins: float = 0.0  # of the fund, base units
    coins_sold: float = 0.0  # what spent coins fetched, less what all of them were worth at the start
    coin_pnl: float = 0.0  # of the part of the fund that is held in the coin
    socialized_loss: float = 0.0
    unresolved_shortfall: float = 0.0
    deleveraged_notional: float = 0.0

    # who else pays, and what the fund's limits remember
    forgone_profit: float = 0.0  # of the deleveraged, beyond the price of the transfer
    broken_hedges: float = 0.0  # notional deleveraged from makers
    haircut: float = 0.0  # largest share of all positive equity that was charged at one event
    backstop_qty: float = 0.0  # signed quantity that backstop providers took over
    backstop_cost: float = 0.0  # net of funding index
    backstop_taken: float = 0.0  # notional taken in this hour
    backstop_minute: float = 0.0  # and in this minute
    backstop_step: int = -1  # when they last took
    fee_pool_paid: float = 0.0
    operator_paid: float = 0.0
    topped_up: float = 0.0  # by the operator into the fund
    fund_used: float = 0.0  # shortfall that the fund has paid, quote
    fund_used_step: float = 0.0  # in the step `fund_used_at`
    fund_used_at: int = -1
    fund_out_until: float = 0.0  # hours
    deleveraging: int = 0  # 1: a trigger with a stop of its own is on
    watchful: int = 0  # 1: no step may be skipped
    bucket: int = 0  # of the history of the fund (see `history`)

    # everybody else, as sums
    alive_qty: float = 0.0
    alive_cost: float = 0.0  # sum of qty x entry
    alive_collateral: float = 0.0
    released: float = 0.0  # paid out to closed accounts
    stopped_notional: float = 0.0  # closed by holders' own orders
    margin_added: float = 0.0  # by holders, from outside
    entered: int = 0  # accounts that have taken a seat since the start
    empty: int = 0  # seats that wait to be taken again
    hurt: float = 0.0  # deleveraged and socialised, when accounts were last asked whether they leave
    maker_qty: float = 0.0
    maker_cost: float = 0.0
    maker_collateral: float = 0.0
    deposits: float = 0.0
    open_interest: float = 0.0  # of one side, at the start

    # the record
    value: float = 0.0  # marked change of the fund at the last event
    settled: float = 0.0  # surplus less bad debt at the last event
    drawdown: float = 0.0
    drawdown_gross: float = 0.0
    gross: float = 0.0  # loss without credit for income, at the last event
    drawdown_mark: float = 0.0  # loss at the recorded step
    drawdown_step: int = -1
    ruin_step: int = -1
    liquidated_accounts: int = 0
    liquidated_notional: float = 0.0
    rounds_max: int = 0
    price_min: float = 0.0
    price_max: float = 0.0
    conservation_error: float = 0.0

    # who the fund paid for: settled loss and notional taken over, now and at the recorded step
    cohort_loss: list[float] = field(default_factory=_by_cohort)
    cohort_taken: list[float] = field(default_factory=_by_cohort)
    worst_loss: list[float] = field(default_factory=_by_cohort)
    worst_taken: list[float] = field(default_factory=_by_cohort)
    value_peaks: list[float] = field(default_factory=_by_bucket)
    fund_peaks: list[float] = field(default_factory=_by_bucket)
    worst_fees: float = 0.0
    worst_coin: float = 0.0

    # what the compiled engines know without looking (see engines.steps)
    waiting: int = 0  # 1: somebody's order is in flight, or cools down while breached
    touched: int = 1  # 1: accounts or funding changed since the last check of all accounts
    next_low: float = 0.0  # no account is liquidated while the mark stays between these
    next_high: float = 0.0
    reach_low: float = 0.0  # bounds of our own displacement of the mark until the next trade
    reach_high: float = 0.0
    next_exit: int = 0  # step of the next account that lets itself be liquidated
    turn: int = 0  # number of the next event of renewal, and its step
    next_turn: int = 0
    needs_loop: int = 0  # 1: the ladder met something that only the account loop does exactly
