"""How deep is the market now?  Depth leaves with the size of the move and comes back (docs/method.md, section 11)."""

from typing import Literal

from pydantic import Field, SerializeAsAny

from stress.exchange.impact import ImpactLaw
from stress.registry import Settings
from stress.rules import rule

# Depth within 1 % relative to normal, by |z| of the rolling five-minute move: median and worst tenth (method.md 4).
Z_BREAKS = (2.0, 4.0, 6.0, 8.0, 12.0, 20.0)
MEDIAN_DEPTH = (0.93, 0.89, 0.81, 0.71, 0.57, 0.42, 0.16)
WORST_TENTH = (0.77, 0.67, 0.52, 0.34, 0.19, 0.13, 0.03)
WINDOW_SECONDS = 300.0
LEAST_CAPACITY = 0.01  # a book is never quite empty


class Liquidity(Settings):
    """Table ``[liquidity]``: what a forced order meets."""

    volume_usd_per_day: float = Field(gt=0)
    depth_usd: float | None = Field(default=None, gt=0)  # within 1 %, one side: what forced sales may use up
    impact: SerializeAsAny[ImpactLaw] = Field(default_factory=lambda: ImpactLaw.choose("square_root"))
    pass_through: float = Field(default=0.3, ge=0, le=1)  # one big venue among several (docs/method.md, section 11)
    # liquidations of the other venues, relative to ours: 1 if they are as large as ours for their volume
    common_liquidation: float = Field(default=0.0, ge=0, le=2)
    permanent_share: float = Field(default=0.0, ge=0, le=1)  # uninformed flow decays almost fully (4.6)
    half_life_minutes: float = Field(default=30.0, gt=0)  # illustrative; without decay: permanent_share = 1
    source: Literal["curve", "makers", "constant"] = "curve"  # who decides on depth; never two of them
    depth_stress: float = Field(default=0.0, ge=0, le=1)  # 0: median curve, 1: its worst tenth
    vol_annual: float | None = Field(default=None, gt=0)  # sigma of the |z| in the depth curve; absent: the market's
    # volume multiplier 1 + response (|z| - 1)+; 1.5 gives the 32 median hours of 10 Oct 2025 at |z| of 20 (4.3)
    volume_response: float = Field(default=1.5, ge=0, le=20)
    recovery_per_minute: float = Field(default=0.20, ge=0, le=1)  # of the gap (docs/method.md, section 11)

    def walk_usd(self, move: float) -> float | None:
        """Return what a walk of the normal book takes to a log move, USD; None without `depth_usd`."""
        if self.depth_usd is None:
            return None
        scale, size, exponent = ImpactLaw.choose("book").numbers(0.0, self.depth_usd)
        return float(size * (abs(move) / scale) ** (1.0 / exponent))

    def missing(self) -> tuple[float, ...]:
        """Return the share of normal depth that is gone in each band of |z|, between the curves' logarithms."""
        pairs = zip(MEDIAN_DEPTH, WORST_TENTH, strict=True)
        return tuple(1.0 - middle * (worst / middle) ** self.depth_stress for middle, worst in pairs)


@rule
def missing_depth(z, missing):
    """Return the share of normal depth that is gone at a five-minute move of |z| standard deviations."""
    k = 0
    while k < 6 and z > Z_BREAKS[k]:
        k += 1
    return missing[k]


@rule
def makers_capacity(state, liquidity):
    """Return how much of their normal size makers quote: what is left of their margin, times that of their limit.

    Illustrative; linear in the inventory is the first order of the optimal quotes of Avellaneda and Stoikov (2008).
    """
    worth = state.maker_collateral + state.maker_qty * (state.mark - state.funding) - state.maker_cost
    room = max(0.0, 1.0 - abs(state.maker_qty) * state.mark * liquidity.per_maker_limit)
    return max(LEAST_CAPACITY, min(1.0, worth * liquidity.per_maker_margin) * room)


@rule
def advance_depth(state, shocks, step, liquidity):
    """Bring depth and volume up to `step`: depth leaves with |z| at once and recovers, volume follows |z|.

    `shocks` is the path of the log index from its start.  Both are functions of the market's own move only,
    so they can be advanced when an order needs them and skipped when none does.
    """
    t, gone, keep, z, calm = state.depth_step, state.depth_gone, liquidity.keep, 0.0, liquidity.missing[0]
    if t >= step:
        return
    while t < step:
        t += 1
        before = shocks[t - liquidity.window] if t >= liquidity.window else 0.0
        z = abs(shocks[t] - before) * liquidity.per_sigma
        left = calm if z <= Z_BREAKS[0] else missing_depth(z, liquidity.missing)  # most moves are small
        gone = max(left, gone * keep)
    state.depth_gone = gone
    state.depth_step = t
    state.surge = 1.0 + liquidity.volume_response * max(0.0, z - 1.0)
    if liquidity.reacts == 1:
        state.depth = (1.0 - gone) * state.quotes
        if liquidity.makers == 1:
            state.depth *= makers_capacity(state, liquidity)
        state.per_depth = 1.0 / state.depth
