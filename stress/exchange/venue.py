"""The venue at a glance: contract, grids, and which rules of liquidation it follows."""

from typing import Any, Literal

from pydantic import Field, SerializeAsAny, field_validator

from stress.exchange.bands import Band
from stress.exchange.disposal import Disposal
from stress.exchange.liquidation import FeeModel
from stress.exchange.mark import MarkRule
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
    fee: SerializeAsAny[FeeModel] = Field(default_factory=lambda: FeeModel.choose("capped_fee"))
    disposal: SerializeAsAny[Disposal] = Field(default_factory=lambda: Disposal.choose("participation"))

    mark: SerializeAsAny[MarkRule] = Field(default_factory=lambda: MarkRule.choose("index"))
    band: SerializeAsAny[Band] = Field(default_factory=lambda: Band.choose("none"))

    @field_validator("fee", mode="before")
    @classmethod
    def _choose_fee(cls, value: Any) -> Any:
        return FeeModel.choose(value)

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
