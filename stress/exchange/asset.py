"""One symbol of a venue that lists several: its price, size and tiers (docs/method.md, section 14)."""

from typing import Any, Literal

from pydantic import Field, field_validator

from stress.exchange.margin import MAX_TIERS, Tier
from stress.registry import Settings


class Asset(Settings):
    """One ``[[asset]]``: a perpetual; what is absent is as in ``[exchange]``, ``[liquidity]`` and ``[[tier]]``.

    The log index of a symbol is `beta` times the market's plus `own` times an independent copy of the market's law:
    its volatility is sqrt(beta^2 + own^2) times the market's, and its correlation with the market beta over that root.
    With ``own_volatility = "market"`` that copy has noise of its own under the market's volatility, and no jumps.
    """

    symbol: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    price_usd: float = Field(gt=0)
    beta: float = Field(default=1.0, ge=-5, le=5)
    own: float = Field(default=0.0, ge=0, le=5)
    own_volatility: Literal["market"] | None = None  # of the own part; absent: one of its own
    jump_beta: float | None = Field(default=None, ge=-5, le=5)  # of the market's jumps; absent: beta
    crashes_per_year: float | None = Field(default=None, gt=0, le=1_000)  # of this symbol alone; thin assets: 1 to 3
    crash_move: float = Field(default=-0.3, gt=-1, le=10)  # of the price (docs/method.md, section 11)
    crash_minutes: float = Field(default=60.0, ge=0)  # how long a crash takes
    funding_mean_rate: float | None = Field(default=None, ge=-0.05, le=0.05)  # per interval; absent: [funding]
    funding_sd_rate: float | None = Field(default=None, ge=0, le=0.05)
    funding_correlation: float | None = Field(default=None, ge=-1, le=1)  # with the first symbol's; absent: its rates
    open_interest_usd: float | None = Field(default=None, gt=0)  # one side
    volume_usd_per_day: float | None = Field(default=None, gt=0)
    depth_usd: float | None = Field(default=None, gt=0)
    listed_days_ago: float | None = Field(default=None, ge=0)  # at the start, for a pool that changes with age
    lot: float | None = Field(default=None, gt=0)
    tick: float | None = Field(default=None, gt=0)
    tiers: tuple[Tier, ...] = Field(default=(), max_length=MAX_TIERS)  # rows (cap_usd, max_leverage, rate)

    @field_validator("tiers", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        """Read rows of three numbers as tiers."""
        if not isinstance(value, (list, tuple)):
            raise ValueError("expected rows [cap_usd, max_leverage, maintenance_margin_rate]")
        names = ("cap_usd", "max_leverage", "maintenance_margin_rate")
        return [_named(names, row) if isinstance(row, (list, tuple)) else row for row in value]


def _named(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    if len(row) != len(names):
        raise ValueError(f"row {list(row)!r} should be [{', '.join(names)}]")
    return dict(zip(names, row, strict=True))
