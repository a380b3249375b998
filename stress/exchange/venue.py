"""The venue at a glance: contract, grids, and which rules of liquidation it follows."""

from typing import Literal

from pydantic import Field, SerializeAsAny

from stress.exchange.bands import Band
from stress.exchange.contract import Contract
from stress.exchange.disposal import Disposal
from stress.exchange.liquidation import FeeModel
from stress.exchange.mark import MarkRule
from stress.exchange.partial import Partial
from stress.exchange.pool_guard import PoolGuard
from stress.registry import Settings


class Exchange(Settings):
    """Table ``[exchange]``: the venue and its rulebook."""

    preset: str | None = None
    contract: SerializeAsAny[Contract] = Field(default_factory=lambda: Contract.choose("linear"))
    coin: str = Field(default="BTC", min_length=1, max_length=12)  # the money of a contract that settles in coin
    open_interest_usd: float | None = Field(default=None, gt=0)  # one side; absent: the sum of the accounts
    tier_mode: Literal["continuous", "cliff"] = "continuous"
    margin_basis: Literal["mark", "entry"] = "mark"  # maintenance margin on the current value or on that at entry
    collateral_in_coin: float = Field(default=0.0, ge=0, le=1)  # of traders' and whales', in the coin itself
    check_seconds: float | None = Field(default=None, gt=0)  # risk-check interval; absent: every step
    lot: float | None = Field(default=None, gt=0)  # grids on which the population is quantised; absent: the
    tick: float | None = Field(default=None, gt=0)  # contract's own.  Size as the venue states it, USD of price,
    cent: float | None = Field(default=None, gt=0)  # and money
    halt_minutes: float = Field(default=0.0, ge=0)  # the engine stands still that long while the index moves most
    adl_rehedge: float = Field(default=0.0, ge=0, le=1)  # of what ADL closes: hedged anew outside, and no longer quoted
    partial: SerializeAsAny[Partial] = Field(default_factory=lambda: Partial.choose("full"))
    remainder: Literal["taken_over", "waits"] = "taken_over"  # what an order leaves: the fund's, or the account's
    backstop_margin: float = Field(default=0.0, ge=0, le=1)  # share of maintenance below which no order is tried
    latency_seconds: float = Field(default=0.0, ge=0, le=86_400)  # from the check to the execution of an order
    fee: SerializeAsAny[FeeModel] = Field(default_factory=lambda: FeeModel.choose("capped_fee"))
    disposal: SerializeAsAny[Disposal] = Field(default_factory=lambda: Disposal.choose("participation"))

    mark: SerializeAsAny[MarkRule] = Field(default_factory=lambda: MarkRule.choose("index"))
    band: SerializeAsAny[Band] = Field(default_factory=lambda: Band.choose("none"))
    pool_guard: PoolGuard | None = None  # absent: nobody is deleveraged unless somebody is bankrupt

    @property
    def unit(self) -> str:
        """Name of the money in which the contract settles."""
        return self.contract.unit(self.coin)

    @property
    def monotone(self) -> bool:
        """Whether an account that is liquidated at a price is liquidated at every worse one."""
        return self.tier_mode == "continuous" or self.margin_basis == "entry"

    def grids(self, price_usd: float) -> tuple[float, float, float]:
        """Return the steps of quantity, price and money in the contract's coordinates."""
        c = self.contract
        lot, tick, cent = self.lot or c.default_lot, self.tick or c.default_tick, self.cent or c.default_cent
        return abs(c.quantity(lot)), c.tick(tick, price_usd), cent

    @property
    def orders_are_whole(self) -> bool:
        """Whether every order closes or takes over its account for good, at the bankruptcy price if at any limit."""
        simple = self.partial.whole and self.remainder == "taken_over" and not self.disposal.own_limit
        return simple and self.backstop_margin == 0.0 and self.latency_seconds == 0.0
