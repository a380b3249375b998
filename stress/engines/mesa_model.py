"""The reference model as Mesa users know models: every argument by keyword, reporters, and a clock."""

from typing import Any, ClassVar

import mesa

from stress.engines.base import seed_of
from stress.engines.blocks import World
from stress.engines.keywords import from_mesa, scenario_of, to_mesa
from stress.engines.population import draw_population
from stress.engines.reference import PathModel, path_lists
from stress.engines.rulebook import rulebook


class InsuranceFundModel(PathModel):
    """One path of a scenario, agent by agent.

    Without arguments a small venue of 1,000 traders on one day.  Flat arguments override the scenario, so that
    `mesa.batch_run` and Mesa's dashboard can vary them; None keeps what the scenario says.

    Parameters
    ----------
    scenario : Scenario, path-like or dict, optional
        A scenario, its TOML file or its tables; the small venue by default.
    path : int
        Which path; the same numbers as in every other engine.
    rng : int, SeedSequence or Generator, optional
        Root of all randomness, as in `stress.run`; the scenario's seed by default.
    bottomless : bool
        True runs the shadow fund, False the configured waterfall.
    collect : bool
        Whether `datacollector` records every step.
    n_traders : int, optional
        Accounts of all cohorts that are drawn from laws, divided as the scenario divides them.
    leverage_median : float, optional
        Median leverage of every cohort that has one.
    open_interest_usd, fund_usd, volume_usd_per_day : float, optional
        Size of the venue, of its fund, and of its market's daily volume, USD.
    vol_annual : float, optional
        Volatility of the market, a year.
    horizon_hours : float, optional
        When `running` turns False.
    **kwargs
        Any other key of the scenario by its dotted name, e.g. ``**{"exchange.disposal.participation": 0.05}``.

    Attributes
    ----------
    account_class : type of AccountAgent
        Base of all agents; a subclass of the model may name its own.
    model_reporters, agent_reporters : dict
        What `datacollector` records, in the form of `mesa.DataCollector`; a subclass may name its own.
    records_start : bool
        Whether it records the start, too, before the first step; a subclass may.

    Raises
    ------
    ScenarioError
        If the scenario with its overrides is not valid.

    Examples
    --------
    >>> model = InsuranceFundModel("configs/tiny.toml", path=3)  # doctest: +SKIP
    >>> model.run_path().fund  # doctest: +SKIP
    """

    model_reporters: ClassVar[dict[str, Any]] = {name: name for name in ("mark", "fund", "open_interest", "inventory")}
    agent_reporters: ClassVar[dict[str, Any]] = {}
    records_start: ClassVar[bool] = False
    scenario: Any  # Mesa's, from 3.5 on; ours is `fund_scenario`

    def __init__(
        self,
        scenario: Any = None,
        *,
        path: int = 0,
        rng: Any = None,
        bottomless: bool = False,
        collect: bool = True,
        n_traders: int | None = None,
        leverage_median: float | None = None,
        open_interest_usd: float | None = None,
        fund_usd: float | None = None,
        volume_usd_per_day: float | None = None,
        vol_annual: float | None = None,
        horizon_hours: float | None = None,
        **kwargs: Any,  # Mesa's dashboard looks for this name
    ):
        flat = {
            "n_traders": n_traders,
            "leverage_median": leverage_median,
            "open_interest_usd": open_interest_usd,
            "fund_usd": fund_usd,
            "volume_usd_per_day": volume_usd_per_day,
            "vol_annual": vol_annual,
            "horizon_hours": horizon_hours,
        }
        given, flat, root = from_mesa(scenario, flat | kwargs, rng)
        base = scenario_of(given)
        told = scenario_of(base, **flat)
        seed = seed_of(root, told.run.seed)
        fixed = told if seed == told.run.seed else told.with_(**{"run.seed": seed})
        population = draw_population(fixed, path // fixed.redraw_every)
        rules = rulebook(fixed, population.open_interest)
        outside = path_lists(World(fixed, seed=seed, decay=rules.decay).block(path, 1), 0)
        super().__init__(fixed, rules, population, outside, path, bottomless=bottomless, rng=[seed, path])
        if hasattr(self, "scenario"):  # Mesa 3.5
            mine = hasattr(scenario, "to_dict")
            self.scenario = scenario if mine else to_mesa(type(self.scenario), base, seed)
        if collect:
            self.datacollector = mesa.DataCollector(self.model_reporters, self.agent_reporters)
            if self.records_start:
                self.datacollector.collect(self)

    if not hasattr(mesa.Model, "run_for"):  # Mesa 3.3 counts its steps only

        @property
        def time(self) -> float:
            """Steps since the start, as Mesa 3.5 counts them."""
            return float(self.steps)

    @property
    def hours(self) -> float:
        """Simulated time, hours."""
        return float(self.clock * self.fund_scenario.run.step_seconds / 3600.0)
