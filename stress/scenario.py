"""The scenario: numbers and choices of one run, as a frozen tree that reads and writes TOML.

Everything that a user can type wrong is found here, once, and said in one line that names file, key, value
and allowed range.  Nothing deeper validates.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import tomli_w
from pydantic import Field, SerializeAsAny, ValidationError, field_validator, model_validator

from stress import overlays, symbols, toml
from stress.agents.base import Cohort, Venue
from stress.agents.renewal import Renewal
from stress.exchange.asset import Asset
from stress.exchange.collateral import Collateral
from stress.exchange.fund import FundSettings
from stress.exchange.funding import Funding
from stress.exchange.liquidity import Liquidity
from stress.exchange.margin import MAX_TIERS, Tier, TierTable, tier_problems
from stress.exchange.pools import PoolSettings
from stress.exchange.state import MAX_COHORTS
from stress.exchange.venue import Exchange
from stress.exchange.waterfall import Layer
from stress.markets.base import Clock, Market
from stress.markets.extremes import extremes_problems
from stress.overlays import Overlay, Uncertain
from stress.registry import Settings
from stress.toml import ScenarioError

__all__ = ["Scenario", "ScenarioError"]

ROUNDING = 1e-9  # of shares that should add up to one
Standard = Literal["ruin", "ccp_margin", "emir_cover2", "solvency2", "basel_es"]
MIN_POPULATIONS = 100  # cluster intervals need enough of them (docs/method.md, section 10)


class Run(Settings):
    """Table ``[run]``: how much is simulated."""

    name: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    seed: int = Field(default=7, ge=0, lt=2**63)
    n_paths: int = Field(default=10_000, ge=1, le=1_000_000_000)
    horizon_hours: float = Field(default=72.0, gt=0, le=24 * 366)
    step_seconds: float = Field(default=60.0, gt=0, le=7 * 86400)
    redraw_every: int | None = Field(default=None, ge=1)  # paths per population; absent: 100 populations
    max_rounds: int = Field(default=50, ge=1, le=100_000)
    engine: Literal["auto", "reference", "loop", "ladder"] = "auto"


class OwnFunds(Settings):
    """``reserve.own_funds``: what a firm's own funds follow from (MiCA Art. 67), apart from the fund."""

    service_class: Literal[1, 2, 3]
    fixed_overheads_eur: float = Field(ge=0)


class Reserve(Settings):
    """Table ``[reserve]``: which levels are printed, and which internal standards beside them."""

    levels: tuple[float, ...] = Field(default=(0.99, 0.995, 0.999), min_length=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    presets: tuple[Standard, ...] | None = None
    own_funds: OwnFunds | None = None

    @field_validator("levels")
    @classmethod
    def _inside(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        for level in levels:
            if not 0.0 < level < 1.0:
                raise ValueError(f"level {level:g} is outside (0, 1)")
        return tuple(sorted(levels))


class Shock(Settings):
    """One ``[[shock]]``: a scripted move of the index, or a halt of the liquidation engine, on top of the market."""

    at_hours: float = Field(ge=0)
    minutes: float = Field(default=0.0, ge=0)  # duration; 0: within one step
    move: float = Field(default=0.0, gt=-1, le=10)  # relative: -0.3 is a fall of 30 %
    halt: bool = False  # the engine neither checks nor trades meanwhile
    symbol: str | None = None  # of several: moves this one alone; absent: the market, and every symbol by its beta


class Scenario(Settings):
    """A validated scenario; build it in Python from the same names, or `load` it from TOML."""

    run: Run
    market: SerializeAsAny[Market]
    liquidity: Liquidity
    exchange: Exchange = Exchange()
    funding: Funding = Funding(mean_rate=0.0, sd_rate=0.0)
    renewal: Renewal | None = None
    fund: FundSettings
    reserve: Reserve = Reserve()
    tier: tuple[Tier, ...] = Field(min_length=1, max_length=MAX_TIERS)
    layer: tuple[SerializeAsAny[Layer], ...] = Field(min_length=1)
    shock: tuple[Shock, ...] = ()
    asset: tuple[Asset, ...] = ()
    pool: tuple[PoolSettings, ...] = ()
    collateral: tuple[Collateral, ...] = ()
    population: tuple[SerializeAsAny[Cohort], ...] = Field(min_length=1)
    overlay: tuple[Overlay, ...] = ()
    uncertain: tuple[Uncertain, ...] = ()
    _left_out: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for key, message in self.problems():
            raise ValueError(f"{key}: {message}")
        return self

    @field_validator("layer", mode="before")
    @classmethod
    def _choose_layers(cls, value: Any) -> Any:
        return toml.each("layer", value, Layer)

    @field_validator("population", mode="before")
    @classmethod
    def _choose_cohorts(cls, value: Any) -> Any:
        return toml.each("population", value, Cohort)

    @property
    def reacts(self) -> bool:
        """Whether some holders have stops, targets or money to add."""
        return any(cohort.reacts for cohort in self.population)

    @property
    def moves(self) -> bool:
        """Whether accounts come or change by their holders' will."""
        return self.reacts or self.renewal is not None

    @classmethod
    def load(cls, path: str | Path, *, overlay: Sequence[str] = (), overrides: dict[str, Any] | None = None) -> Self:
        """Read a TOML file, its ``extends`` and its exchange preset, and validate it.

        Parameters
        ----------
        path : path-like
        overlay : sequence of str
            Names of ``[[overlay]]`` tables to apply, in this order, before the overrides.
        overrides : mapping, optional
            Dotted names to values, e.g. ``{"fund.initial_usd": 5e7}``.

        Raises
        ------
        ScenarioError
            One line: file, key, value and what is allowed.
        """
        return cls.from_tables(toml.read(Path(path)), source=str(path), overlay=overlay, overrides=overrides)

    @classmethod
    def from_tables(
        cls,
        tables: dict[str, Any],
        *,
        source: str = "scenario",
        overlay: Sequence[str] = (),
        overrides: dict[str, Any] | None = None,
    ) -> Self:
        """Validate nested tables, as read from TOML, with all their variants; `source` is named in errors.

        Variants are written for the rulebook of their file.  What the preset of an override forbids of them is left
        out (`left_out`); what the file's own rulebook forbids is an error.
        """
        scenario = cls._valid(tables, source, {} if overlay else overrides)
        if overlay:  # from what was typed, not from what it became, so that overrides may still choose a preset
            changes = scenario._changes(overlay, source) | (overrides or {})
            return cls._valid(overlays.without_variants(tables), source, changes)
        own = toml.value_at(tables, "exchange.preset")
        strict = own in (None, scenario.exchange.preset)
        if not strict:
            cls._check_own_variants(tables, source)
        return scenario._with_valid_variants(source, strict=strict)

    @classmethod
    def _valid(cls, tables: dict[str, Any], source: str, overrides: dict[str, Any] | None = None) -> Self:
        overrides = overrides or {}
        venue = {name: value for name, value in overrides.items() if name in ("exchange", "exchange.preset")}
        tables = toml.with_preset(toml.override(tables, venue, source), source)
        tables = toml.override(tables, overrides, source)
        try:
            return cls.model_validate(tables)
        except ValidationError as error:
            raise ScenarioError(toml.explain(error, source, cls, tables)) from None

    @classmethod
    def _check_own_variants(cls, tables: dict[str, Any], source: str) -> None:
        """Refuse variants that the file's own rulebook forbids, whatever preset an override chooses."""
        try:
            own = cls._valid(tables, source)
        except ScenarioError:  # the file needs its overrides
            return
        own._with_valid_variants(source, strict=True)

    def _with_valid_variants(self, source: str, *, strict: bool) -> Self:
        """Build every overlay and both ends of every range, and leave out those that fail unless it is an error."""
        if not (self.overlay or self.uncertain):
            return self
        tables, failed = overlays.without_variants(self.tables()), dict[int, str]()
        for row, where, changes in overlays.changes_of(tables, self.overlay, self.uncertain, source):
            try:
                self._valid(tables, where, changes)  # variants have no variants themselves
            except ScenarioError as error:
                if strict:
                    raise
                failed.setdefault(id(row), str(error).removeprefix(f"{source}: "))
        return self._without_rows(failed) if failed else self

    def _without_rows(self, failed: dict[int, str]) -> Self:
        """Return the scenario without some of its variants, by identity, and with the reasons why."""
        tables = self.tables()
        for name in overlays.TABLES:
            rows = zip(getattr(self, name), tables[name], strict=True)
            tables[name] = [table for row, table in rows if id(row) not in failed]
        scenario = self._valid(tables, "scenario")
        scenario._left_out = tuple(failed.values())
        return scenario

    @property
    def left_out(self) -> tuple[str, ...]:
        """Variants of the file that the preset of an override forbids, each with its reason."""
        return self._left_out

    def _changes(self, names: Sequence[str], source: str) -> dict[str, Any]:
        picked = [overlays.pick(self.overlay, name, source).set for name in names]
        return {name: value for changes in picked for name, value in changes.items()}

    def with_(self, **overrides: Any) -> Self:
        """Return a variant, e.g. ``scenario.with_(**{"market.vol_annual": 0.9})``."""
        return self._valid(self.tables(), "scenario", overrides)

    def overlaid(self, *names: str) -> Self:
        """Return the variant of one or several overlays; it has neither overlays nor ranges of its own.

        Parameters
        ----------
        *names : str
            ``name``, or ``axis/name`` where a name stands on several axes; later ones win.

        Raises
        ------
        ScenarioError
            If an overlay is unknown, or the variant is not valid.
        """
        tables = overlays.without_variants(self.tables())
        return self._valid(tables, f"overlay {', '.join(names)}", self._changes(names, "scenario"))

    def plain(self, **overrides: Any) -> Self:
        """Return a variant without overlays and ranges, which say nothing about the variant."""
        return self._valid(overlays.without_variants(self.tables()), "scenario", overrides)

    def tables(self) -> dict[str, Any]:
        """Return the resolved scenario as nested tables without absent keys."""
        tables = self.model_dump(mode="json", exclude_none=True)
        return tables if self.overlay or self.uncertain else overlays.without_variants(tables)

    def to_toml(self) -> str:
        """Return the resolved scenario as TOML."""
        return tomli_w.dumps(self.tables())

    @cached_property
    def sha256(self) -> str:
        """Hash of the resolved configuration (canonical JSON), wherever its files lie."""
        text = json.dumps(toml.without_places(self.tables()), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def clock(self) -> Clock:
        """The simulation clock."""
        return Clock(round(self.run.horizon_hours * 3600.0 / self.run.step_seconds), self.run.step_seconds)

    @cached_property
    def tiers(self) -> TierTable:
        """The tier table with its deductions."""
        e = self.exchange
        return TierTable.of(self.tier, continuous=e.tier_mode == "continuous", basis=e.margin_basis)

    @cached_property
    def price(self) -> float:
        """Today's price in the contract's coordinates."""
        return float(self.exchange.contract.price(self.market.price_usd))

    @cached_property
    def money_usd(self) -> float:
        """USD value today of one unit of the contract's money."""
        return self.exchange.contract.money_usd(self.market.price_usd)

    def base_units(self, usd: float) -> float:
        """Return a size given in USD as a quantity in the contract's coordinates."""
        return usd / self.money_usd / self.price

    @cached_property
    def fund_initial(self) -> float:
        """What the fund can pay at today's prices, in the contract's money."""
        return self.fund.usable(self.exchange.coin)

    def with_fund(self, amount: float) -> dict[str, float]:
        """Return the override that sets the initial fund, in the contract's money."""
        return {"fund.initial_coin" if self.exchange.contract.in_coin else "fund.initial_usd": amount}

    @cached_property
    def venue(self) -> Venue:
        """What the population needs to know of the venue."""
        e = self.exchange
        size = (e.open_interest_usd or 0.0) / self.money_usd
        longs, shorts = self._shares(explicit=True)
        lot, tick, cent = e.grids(self.market.price_usd)
        return Venue(
            price=self.price,
            open_interest=size,
            crowd_long=size * max(0.0, 1.0 - longs),
            crowd_short=size * max(0.0, 1.0 - shorts),
            lot=lot,
            tick=tick,
            cent=cent,
            tiers=self.tiers,
            contract=e.contract,
            money_usd=self.money_usd,
            unit=e.unit,
            collateral_in_coin=e.collateral_in_coin,
        )

    @property
    def desks(self) -> tuple["Scenario", ...]:
        """The scenario of each symbol alone, with the cohorts whose shares are of it; itself without ``[[asset]]``."""
        return self.by_symbol or (self,)

    @cached_property
    def by_symbol(self) -> tuple["Scenario", ...]:
        """The desks of a venue with ``[[asset]]`` tables, in their order."""
        return tuple(symbols.desk(self, s, only_its_own=True) for s in range(len(self.asset)))

    def _shares(self, *, explicit: bool) -> tuple[float, float]:
        """Add up the long and the short shares of the explicit accounts, or of the crowd."""
        shares = [cohort.shares() for cohort in self.population if cohort.explicit == explicit]
        return sum(share[0] for share in shares), sum(share[1] for share in shares)

    @cached_property
    def conditional_on_book(self) -> bool:
        """Say whether the population is one given book rather than a draw from laws."""
        return not any(cohort.laws for cohort in self.population)

    @property
    def fund_is_limited(self) -> bool:
        """Say whether the fund may refuse what it could pay: ruin is then that of the configured run."""
        return any(layer.limits_fund for layer in self.layer)

    @property
    def redraw_every(self) -> int:
        """Paths per population."""
        if self.conditional_on_book:
            return self.run.n_paths
        return self.run.redraw_every or max(1, self.run.n_paths // MIN_POPULATIONS)

    def steps(self, seconds: float) -> int:
        """Return a duration in simulation steps, rounded."""
        return round(seconds / self.run.step_seconds)

    def problems(self):
        """Yield (key, message) for combinations that no single field can see."""
        yield from symbols.problems(self)
        yield from self._money_problems()
        yield from self._clock_problems()
        yield from self._rulebook_problems()
        yield from self._population_problems()
        yield from overlays.problems(self.overlay, self.uncertain)

    def _money_problems(self):
        """Refuse an amount in another money than the contract's, and one that is missing."""
        e = self.exchange
        wanted, other = ("coin", "usd") if e.contract.in_coin else ("usd", "coin")
        for where, table, name in self._amounts():
            if getattr(table, f"{name}_{other}") is not None:
                said = f"must be {name}_{wanted}: the money of exchange.contract = {e.contract.kind!r} is {e.unit}"
                yield f"{where}.{name}_{other}", said
            if getattr(table, f"{name}_{wanted}") is None:
                yield f"{where}.{name}_{wanted}", "is required"
        if e.contract.in_coin and e.collateral_in_coin > 0.0:
            yield "exchange.collateral_in_coin", f"must be 0: all collateral of this contract is {e.unit}"
        yield from ((f"fund.{key}", message) for key, message in self.fund.problems(e.contract, e.coin))

    def _amounts(self):
        """Yield (where, table, name) of every amount that is `<name>_usd` or `<name>_coin`."""
        yield "fund", self.fund, "initial"
        yield from ((f"tier.{i}", tier, "cap") for i, tier in enumerate(self.tier))
        yield from (
            (f"population.{i}", cohort, cohort.money) for i, cohort in enumerate(self.population) if cohort.money
        )

    def _clock_problems(self):
        step = self.run.step_seconds
        spans = {
            "run.horizon_hours": self.run.horizon_hours * 3600.0,
            "funding.interval_hours": self.funding.interval_hours * 3600.0,
            "exchange.check_seconds": self.exchange.check_seconds or step,
        }
        for key, seconds in spans.items():
            if abs(seconds / step - round(seconds / step)) > 1e-9 or seconds < step:
                yield key, f"{seconds:g} s is not a multiple of run.step_seconds = {step:g}"
        yield from ((f"market.{key}", message) for key, message in self.market.problems(self.clock))
        yield from ((f"market.{key}", message) for key, message in extremes_problems(self.market, self.clock))
        for i, shock in enumerate(self.shock):
            if shock.at_hours >= self.run.horizon_hours:
                yield f"shock.{i}.at_hours", f"{shock.at_hours:g} is beyond run.horizon_hours"

    def _rulebook_problems(self):
        yield from tier_problems(self.tier, continuous=self.exchange.tier_mode == "continuous")
        kinds = [layer.kind for layer in self.layer]
        for kind in kinds:
            if kinds.count(kind) > 1:
                yield "layer", f"{kind!r} is repeated in the waterfall {kinds}"
        if "fund" not in kinds:
            yield "layer", f"'fund' is missing in the waterfall {kinds}"
        yield from ((f"fund.{key}", message) for key, message in self.fund.top_up_problems())
        keeper = getattr(self.exchange.disposal, "keeper_fee", 0.0)
        if keeper > 0.0 and self.exchange.fee.pays_keeper and self.exchange.fee.as_numbers()["other_rate"] > 0.0:
            yield (
                "exchange.fee.other_rate",
                "must be 0 with exchange.disposal.keeper_fee above 0: keepers are paid once",
            )
        if self.exchange.halt_minutes > self.run.horizon_hours * 60.0:
            yield "exchange.halt_minutes", f"{self.exchange.halt_minutes:g} is longer than run.horizon_hours"
        if self.liquidity.common_liquidation > 0.0 and self.liquidity.permanent_share > 0.0:
            yield "liquidity.permanent_share", "must be 0 with liquidity.common_liquidation above 0"
        if self.exchange.band.as_numbers()["outer"] > 0.0 and self.liquidity.permanent_share > 0.0:
            yield "liquidity.permanent_share", f"must be 0 with exchange.band = {self.exchange.band.kind!r}"
        if self.exchange.latency_seconds > 0.0 and self.exchange.partial.kind == "pct_cooldown":
            yield "exchange.latency_seconds", "must be 0 with exchange.partial = 'pct_cooldown'"
        if self.exchange.disposal.uses_limit and self.liquidity.permanent_share > 0.0:
            yield "liquidity.permanent_share", f"must be 0 with exchange.disposal = {self.exchange.disposal.kind!r}"
        if self.exchange.pool_guard and not any(cohort.is_maker for cohort in self.population):
            yield "exchange.pool_guard", "needs a 'maker' in [[population]]: makers are the pool"
        limited = [i for i, row in enumerate(self.population) if 0.0 < row.maker_limit_usd < math.inf]
        if limited and self.liquidity.source != "makers":
            yield f"population.{limited[0]}.inventory_limit_usd", "has no effect unless liquidity.source = 'makers'"
        if self.liquidity.impact.kind == "book" and self.liquidity.depth_usd is None:
            yield "liquidity.depth_usd", "is needed by liquidity.impact = 'book'"

    def _population_problems(self):
        names = [cohort.name for cohort in self.population]
        for i, cohort in enumerate(self.population):
            if names.count(cohort.name) > 1:
                yield f"population.{i}.name", f"{cohort.name!r} is repeated"
            for key, text in cohort.problems(self._venue_of(cohort)):
                yield f"population.{i}.{key}", text + self._way_out(key)
        if self.renewal is not None:
            yield from self._renewal_problems()
        if len({cohort.explicit for cohort in self.population[MAX_COHORTS - 1 :]}) > 1:
            yield "population", f"mixes whales and others from row {MAX_COHORTS - 1} on, where rows are not told apart"
        if sum(cohort.is_maker for cohort in self.population) > 1:
            yield "population", "holds more than one 'maker': makers are one account"
        if all(cohort.is_maker for cohort in self.population):
            yield "population", "is empty: there is no account besides the makers"
        for desk in self.desks:
            yield from desk._share_problems()

    def _way_out(self, key: str) -> str:
        """Say what to do about a cohort with more leverage than the preset's venue admits."""
        if self.exchange.preset is None or not key.startswith("leverage"):
            return ""
        better = f"fundstress compare CONFIG --presets OTHER,{self.exchange.preset}"
        return f"; lower it, or let accounts post this venue's margin: {better}"

    def _renewal_problems(self):
        if len(self.population) > MAX_COHORTS:
            yield "renewal", f"tells at most {MAX_COHORTS} rows of the population apart, not {len(self.population)}"
        for i, cohort in enumerate(self.population):
            if cohort.closes_after == 0.0:
                yield f"population.{i}.holding_hours", "must be above 0 with [renewal]"

    def _venue_of(self, cohort: Cohort) -> Venue:
        """Return the venue of the symbol that a cohort trades."""
        return self.desks[0 if cohort.symbol is None else symbols.names(self).index(cohort.symbol)].venue

    def _share_problems(self):
        explicit, crowd = self._shares(explicit=True), self._shares(explicit=False)
        for side, whales, others in zip(("long", "short"), explicit, crowd, strict=True):
            if whales > 1.0 + ROUNDING:
                yield "population", f"the {side} shares of the whales add up to {whales:.4g}, above 1"
            if others > 1.0 + ROUNDING:
                yield "population", f"the {side} shares of what the whales leave add up to {others:.4g}, above 1"
            if others > 0.0 and whales > 1.0 - ROUNDING:
                yield "population", f"the whales leave nothing of the {side} side to share"
        held = max(whales + (1.0 - whales) * others for whales, others in zip(explicit, crowd, strict=True))
        if held > 0.0 and self.exchange.open_interest_usd is None:
            yield "exchange.open_interest_usd", "is needed by cohorts that are given as shares"
        if 0.0 < held < 0.95:
            yield "population", f"neither side's shares of open interest add up to 1 (largest {held:.4g})"
