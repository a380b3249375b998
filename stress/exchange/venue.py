"""The venue at a glance: contract, grids, and which rules of liquidation it follows."""

from typing import Any, Literal

from pydantic import Field, SerializeAsAny, field_validator

from stress.exchange.bands import Band
from stress.exchange.disposal import Disposal
from stress.exchange.liquidation import FeeModel
from stress.exchange.mark import MarkRule
from stress.exchange.partial import Partial
from stress.registry import Settings


class Exchange(Settings):
    """Table ``[exchange]``: the venue and its rulebook."""

    preset: str | None = None
    contract: Literal["linear"] = "linear"
    open_interest_usd: float | None = Field(default=None, gt=0)  # one side; absent: the sum of the accounts
    tier_mode: Literal["continuous", "cliff"] = "continuous"
    collateral_in_coin: float = Field(default=0.0, ge=0, le=1)  # of traders' and whales', in the coin itself
    check_seconds: float | None = Field(default=None, gt=0)  # risk-check interval; absent: every step
    lot: float = Field(default=0.001, gt=0)  # grids on which the population is quantised
    tick: float = Field(default=0.1, gt=0)
    cent: float = Field(default=0.01, gt=0)
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

    @field_validator("fee", mode="before")
    @classmethod
    def _choose_fee(cls, value: Any) -> Any:
        return FeeModel.choose(value)

    @field_validator("partial", mode="before")
    @classmethod
    def _choose_partial(cls, value: Any) -> Any:
        return Partial.choose(value)

    @property
    def orders_are_whole(self) -> bool:
        """Whether every order closes or takes over its account for good, at the bankruptcy price if at any limit."""
        simple = self.partial.whole and self.remainder == "taken_over" and not self.disposal.own_limit
        return simple and self.backstop_margin == 0.0 and self.latency_seconds == 0.0

    @field_validator("disposal", mode="before")
    @classmethod
    def _choose_disposal(cls, value: Any) -> Any:
        return Disposal.choose(value)

    @field_validator("mark", mode="before")
    @classmethod
    def _choose_mark(cls, value: Any) -> Any:
        return MarkRule.choose(value)

    @field_validator("band", mode="before")
    @classmethod
    def _choose_band(cls, value: Any) -> Any:
        return Band.choose(value)
