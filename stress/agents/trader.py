"""Retail and professional traders drawn from laws of leverage, size and age of the position."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from pydantic import Field, SerializeAsAny, model_validator

from stress.accounts import quantize
from stress.agents.ages import AgeLaw
from stress.agents.base import Cohort, Margin, Venue, build_accounts
from stress.agents.copulas import Copula, by_side
from stress.agents.leverages import LeverageLaw
from stress.agents.reactions import StopLoss, TakeProfit, TopUp, levels
from stress.agents.sizes import SizeLaw

HOURS_PER_YEAR = 8760.0
ATTEMPTS = 200  # redraws of an entry until the position would have survived
LISTED_ERROR = 1e-3  # of a side: how exactly a share says what listed amounts add up to


class Trader(Cohort, kind="trader"):
    """A cohort of leveraged accounts on both sides.

    Sizes are scaled, side by side, to the cohort's share of what the whales leave of open interest; leverage falls
    with size.  Only survivors exist: an entry whose liquidation price has been touched since is redrawn, so higher
    leverage means a younger position (docs/method.md, section 8).

    `leverage` is a law; `leverage_median` and `leverage_sigma` are the short form of a log-normal one.
    """

    count: int = Field(ge=1, le=5_000_000)
    long_share: float = Field(ge=0, le=1)  # of what the whales leave of the long side
    short_share: float = Field(ge=0, le=1)  # of what they leave of the short side
    leverage_median: float | None = Field(default=None, ge=1, le=200)
    leverage_sigma: float | None = Field(default=None, ge=0, le=3)  # of log leverage; absent: that of the law
    leverage: SerializeAsAny[LeverageLaw | None] = None
    leverage_max: float = Field(default=125.0, ge=1, le=200)
    cap_at_10k_usd: float = Field(default=125.0, gt=0)  # leverage cap 125 (n / 10,000)^-0.25 (method.md 8)
    cap_exponent: float = Field(default=0.25, ge=0, le=1)
    size: SerializeAsAny[SizeLaw] = Field(default_factory=lambda: SizeLaw.choose("lognormal_pareto"))
    largest_share: float = Field(default=0.01, gt=0, le=1)  # cap of one account, of what the whales leave
    copula: SerializeAsAny[Copula] = Field(default_factory=lambda: Copula.choose("gaussian"))
    rank_correlation: float = Field(default=0.0, gt=-1, lt=1)  # of leverage with size, before the cap by size
    long_skew: float = Field(default=0.0, ge=-10, le=10)  # log odds of being long, a deviation of log leverage
    margin: Margin = "isolated"
    holding_hours: float = Field(default=24.0, ge=0)  # mean age of a position, illustrative
    age: SerializeAsAny[AgeLaw] = Field(default_factory=lambda: AgeLaw.choose("exponential"))
    entry_vol_annual: float = Field(default=0.55, ge=0)  # of the price since entry (docs/method.md, section 11)
    stop_loss: StopLoss | None = None
    take_profit: TakeProfit | None = None
    top_up: TopUp | None = None

    laws = True

    @model_validator(mode="after")
    def _one_law_of_leverage(self) -> Self:
        short = [key for key in ("leverage_median", "leverage_sigma") if getattr(self, key) is not None]
        if self.leverage is not None and short:
            raise ValueError(f"leverage: is a law, and {short[0]} is the short form of one: give one of them")
        if self.leverage is None and self.leverage_median is None:
            raise ValueError("leverage_median: is required, or a law: leverage = { kind = ... }")
        return self

    @property
    def leverage_law(self) -> LeverageLaw:
        """The law of leverage, whichever form was given."""
        if self.leverage is not None:
            return self.leverage
        given = {"median": self.leverage_median, "sigma": self.leverage_sigma}
        settings = {key: value for key, value in given.items() if value is not None}
        return LeverageLaw.choose({"kind": "lognormal", **settings})

    def relevered(self, factor: float, limit: float) -> dict[str, Any]:
        """Return the keys that change if the median leverage is `factor` times as large, between 1 and `limit`."""
        law = self.leverage_law
        median = min(max(law.middle * factor, 1.0), limit)
        if self.leverage is None:
            return {"leverage_median": median}
        return {"leverage.factor": law.factor * median / law.middle}

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of what the whales leave of the long and the short side."""
        return self.long_share, self.short_share

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return self.count

    @property
    def closes_after(self) -> float:
        """Mean hours after which a position is closed by choice."""
        return self.holding_hours

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse shares of nothing or beyond the largest accounts, and a leverage above the first tier's."""
        if self.long_share == self.short_share == 0.0:
            return [("long_share", "and short_share are both 0: the cohort holds nothing")]
        return [*self._size_problems(venue), *self._leverage_problems(venue)][:1]

    def _leverage_problems(self, venue: Venue) -> Iterator[tuple[str, str]]:
        limit, median = venue.tiers.max_leverage[0], self.leverage_law.middle
        if median > limit * (1.0 + 1e-9):
            of, key = ("", "leverage_median") if self.leverage is None else ("its median ", "leverage")
            yield key, f"{of}{median:g} is above the first tier's maximum {limit:g}"

    def _size_problems(self, venue: Venue) -> Iterator[tuple[str, str]]:
        """Yield what keeps the accounts from holding their share; listed amounts say what it must be."""
        for side, n, share in self._sides():
            yield from self.size.problems(n)
            listed = self.size.amounts_usd(n)
            crowd = venue.crowd_long if side == "long" else venue.crowd_short
            if listed is None and n * self.largest_share < share:
                held = f"{n} {side} accounts of at most {self.largest_share:g} cannot hold {share:g}"
                yield "largest_share", f"{held} of what the whales leave"
            elif listed is not None and crowd > 0.0:
                held = listed.sum() / venue.money_usd / crowd
                if abs(held - share) > LISTED_ERROR:
                    yield f"{side}_share", f"{share:g}, but the sizes listed are {held:.6g} of what the whales leave"

    def admitted(self, venue: Venue) -> Self:
        """Return the cohort with a median leverage that the first tier allows."""
        law, limit = self.leverage_law, float(venue.tiers.max_leverage[0])
        if law.middle <= limit:
            return self
        if self.leverage is None:
            return self.model_copy(update={"leverage_median": limit})
        return self.model_copy(update={"leverage": law.model_copy(update={"factor": law.factor * limit / law.middle})})

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Draw the cohort; longs and shorts are counted in proportion to their shares.

        Entries come last: how often one is redrawn moves neither sizes nor anybody's first attempt.
        """
        side, notional = self._positions(rng, venue)
        is_long = side == venue.sign("long")
        leverage = self._leverage(rng, notional * venue.money_usd, venue.max_leverage(notional), is_long)
        entry = self._entries(rng, venue, side, leverage, notional)
        accounts = build_accounts(venue, side * notional / venue.price, entry, leverage, self.margin)
        self._react(rng, accounts, venue)
        return accounts

    @property
    def reacts(self) -> bool:
        """Whether some of its holders have stops, targets or money to add."""
        return any(part is not None for part in (self.stop_loss, self.take_profit, self.top_up))

    def _react(self, rng, accounts: np.ndarray, venue: Venue) -> None:
        """Draw who reacts, and at what."""
        for name, order, side in (("stop", self.stop_loss, -1.0), ("target", self.take_profit, 1.0)):
            if order is not None:
                accounts[name] = levels(accounts, venue.price, side * order.draw(rng, accounts.size))
        if self.top_up is not None:
            money = self.top_up.budget * np.maximum(accounts["collateral"], 0.0)
            adds = rng.random(accounts.size) < self.top_up.share
            accounts["spare"] = quantize(np.where(adds, money, 0.0), venue.cent)
            accounts["call"] = self.top_up.at

    def _sides(self) -> list[tuple[str, int, float]]:
        """Return (side, number of accounts, share) of the sides that are asked for."""
        n_long = round(self.count * self.long_share / (self.long_share + self.short_share))
        sides = [("long", n_long, self.long_share), ("short", self.count - n_long, self.short_share)]
        return [(side, n, share) for side, n, share in sides if share > 0.0]

    def _positions(self, rng, venue: Venue) -> tuple[np.ndarray, np.ndarray]:
        """Draw the side (+1 or -1 in coordinates) and the notional, quote, of every account."""
        sides, notionals = [], []
        for side, n, share in self._sides():
            sides.append(np.full(n, venue.sign(side)))
            crowd = venue.crowd_long if side == "long" else venue.crowd_short
            if (listed := self.size.amounts_usd(n)) is not None:
                notionals.append(listed / venue.money_usd)
            else:
                notionals.append(self._notional(rng, n, share * crowd, self.largest_share * crowd))
        return np.concatenate(sides), np.concatenate(notionals)

    def _leverage(self, rng, notional_usd, tier_limit, is_long) -> np.ndarray:
        """Draw leverage from its law, within the limits of size, tier and cohort."""
        score = rng.standard_normal(notional_usd.size)
        if self.long_skew != 0.0:
            score = by_side(score, is_long, self.long_skew, rng)
        leverage = self.leverage_law.of(self.copula.joined(score, notional_usd, self.rank_correlation))
        by_size = self.cap_at_10k_usd * (np.maximum(notional_usd, 1.0) / 10_000.0) ** -self.cap_exponent
        limit = np.minimum(np.minimum(by_size, tier_limit), self.leverage_max)
        return np.clip(leverage, 1.0, np.maximum(limit, 1.0))

    def _notional(self, rng, n: int, total: float, largest: float) -> np.ndarray:
        """Draw sizes, cap them, and scale them to the total."""
        return scale_to(self.size.draw(rng, n), total, largest)

    def _entries(self, rng, venue: Venue, side, leverage, notional) -> np.ndarray:
        """Draw entries of positions that are alive today, conditional on the path since entry."""
        entry = np.full(leverage.size, venue.price)
        barrier = 1.0 - side * (1.0 / leverage - venue.maintenance_rate(notional))
        waiting = np.arange(leverage.size)
        for _ in range(ATTEMPTS):
            if waiting.size == 0:
                break
            age = self.holding_hours * self.age.draw(rng, waiting.size)
            variance = np.maximum(self.entry_vol_annual**2 * age / HOURS_PER_YEAR, 1e-12)
            since = np.sqrt(variance) * rng.standard_normal(waiting.size)  # log(price now / entry)
            level = np.log(np.maximum(barrier[waiting], 1e-9))
            room_now, room_then = side[waiting] * (since - level), -side[waiting] * level
            survives = 1.0 - np.exp(-2.0 * np.maximum(room_now, 0.0) * room_then / variance)
            alive = (room_now > 0.0) & (rng.random(waiting.size) < survives)
            entry[waiting[alive]] = venue.price * np.exp(-since[alive])
            waiting = waiting[~alive]
        return entry


def scale_to(size: np.ndarray, total: float, largest: float) -> np.ndarray:
    """Scale sizes to a total, in place, none above the largest unless all are; shape (n,)."""
    for _ in range(50):  # scaling lifts others over the cap: repeat until nothing moves
        size *= total / size.sum()
        if size.max() <= largest * (1.0 + 1e-9) or size.size * largest <= total:
            break
        np.minimum(size, largest, out=size)
    return size
