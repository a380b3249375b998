"""From final states to the columns of the outcomes."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from stress import symbols
from stress.engines.choose import Choice
from stress.engines.population import Population
from stress.engines.steps import LEDGER
from stress.exchange.contract import Contract
from stress.exchange.pools import PoolState
from stress.exchange.state import MAX_COHORTS
from stress.outcomes import COLUMNS, Attribution, Facts, Outcomes, Pools
from stress.rules import record_dtype
from stress.scenario import Scenario

POOL = record_dtype(PoolState())
SHADOW_COLUMNS = ("drawdown", "drawdown_gross", "drawdown_step", "inventory_peak")
TAIL_LEVEL = 0.99  # attribution keeps at least the paths beyond the lowest usual level
FEES, COINS = "fee income", "fund's coins"


class Results:
    """Columns of a run while it goes on; any set of tasks may be finished."""

    def __init__(self, scenario: Scenario, choice: Choice):
        n = scenario.run.n_paths
        self.scenario, self.choice, self.n_paths = scenario, choice, n
        self.columns = {name: np.zeros(n, dtype) for name, dtype in COLUMNS.items()}
        self.columns["weight"][:] = 1.0
        self.pools = np.zeros((n, len(symbols.pools(scenario)) if scenario.asset else 0), POOL)
        self.losses = np.zeros((n, min(len(scenario.population), MAX_COHORTS) + 2))
        self.finished = np.zeros(n, dtype=bool)
        self.ledger: list[np.ndarray] = []

    @property
    def n_done(self) -> int:
        """How many paths are finished."""
        return int(self.finished.sum())

    def has(self, path: int) -> bool:
        """Say whether a path is finished."""
        return bool(self.finished[path])

    def put(self, first: int, n: int, rows: Any) -> None:
        """Write the rows of a finished task."""
        at = slice(first, first + n)
        initial, contract = self.scenario.fund_initial, self.scenario.exchange.contract
        shadow = SHADOW_COLUMNS if self.scenario.fund_is_limited else (*SHADOW_COLUMNS, "ruin_step")
        for name in COLUMNS:
            states = rows.shadow if name in shadow else rows.configured
            if name in (states.dtype.names or ()):
                self.columns[name][at] = states[name]
        final = rows.configured
        edges = [contract.usd_price(final[name]) for name in ("price_min", "price_max")]
        self.columns["price_min"][at], self.columns["price_max"][at] = np.minimum(*edges), np.maximum(*edges)
        self.columns["population"][at] = rows.population
        given = initial + final["topped_up"]
        self.columns["fund_end"][at] = given + final["value"]
        self.columns["backstop_loss"][at] = np.maximum(0.0, backstop_loss(final))
        cash = final["surplus"] + final["fee_income"] + final["inventory_pnl"] + final["coin_pnl"] - final["bad_debt"]
        lost = final["bad_debt"] - final["inventory_pnl"] - (final["value"] - cash)  # also what it still holds has lost
        self.columns["fund_draw"][at] = np.maximum(0.0, lost)
        self.columns["fund_cash_end"][at] = given + cash
        self.losses[at] = by_cohort(rows.shadow, self.losses.shape[1] - 2)
        if rows.pools is not None:
            self.pools[at] = rows.pools
        self.ledger.append(as_stated(rows.ledger, contract))
        self.finished[at] = True

    def save(self, path: Path) -> None:
        """Write the finished paths to an ``.npz`` file."""
        done = np.flatnonzero(self.finished)
        rows = self.liquidations()
        arrays: dict[str, Any] = {f"column_{name}": values[done] for name, values in self.columns.items()}
        arrays |= {
            "pools": self.pools[done],
            "path": done,
            "losses": self.losses[done],
            "ledger": rows[self.finished[rows["path"]]],
        }
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path, scenario: Scenario, choice: Choice) -> Self:
        """Read what `save` wrote for the same scenario."""
        results = cls(scenario, choice)
        with np.load(path) as saved:
            done = saved["path"]
            for name, values in results.columns.items():
                values[done] = saved[f"column_{name}"]
            results.losses[done] = saved["losses"]
            results.pools[done] = saved["pools"]
            results.ledger = [saved["ledger"]]
            results.finished[done] = True
        return results

    def outcomes(
        self, population: Population, *, elapsed_s: dict[str, float], cover: tuple, ledger: bool = False
    ) -> Outcomes:
        """Return the outcomes of a finished run, with its liquidations if asked for."""
        scenario = self.scenario
        (exact, note), own = one_run_curve(scenario), scenario.reserve.own_funds
        facts = Facts(
            scenario=scenario.run.name,
            config_sha256=scenario.sha256,
            seed=scenario.run.seed,
            engine=self.choice.name,
            n_steps=scenario.clock.n_steps,
            step_seconds=scenario.run.step_seconds,
            n_accounts=int(population.accounts.size),
            horizon_hours=scenario.run.horizon_hours,
            fund_initial=scenario.fund_initial,
            open_interest=float(population.open_interest),
            conditional_on_book=scenario.conditional_on_book,
            one_run_curve_exact=exact,
            curve_note=note,
            engine_note=self.choice.why,
            levels=scenario.reserve.levels,
            confidence=scenario.reserve.confidence,
            elapsed_s=elapsed_s,
            cohorts=self.cohorts(),
            cover=cover,
            fund_in_coin=share_in_coin(scenario),
            unit=scenario.exchange.unit,
            unit_usd=scenario.money_usd,
            pools=self.pool_rows(),
            renewal=scenario.renewal is not None,
            presets=scenario.reserve.presets or (),
            own_funds=own.model_dump() if own else None,
        )
        pools = Pools(self.pools["drawdown"], self.pools["ruin_step"]) if facts.pools else None
        return Outcomes(self.columns, facts, self.attribution(), self.liquidations() if ledger else None, pools)

    def cohorts(self) -> tuple[str, ...]:
        """Names of the columns of `losses`."""
        return (*(cohort.name for cohort in self.scenario.population[:MAX_COHORTS]), FEES, COINS)

    def pool_rows(self) -> tuple[dict[str, Any], ...]:
        """Name every pool of the fund, its symbols and its start; a venue with one symbol has no rows."""
        if not self.scenario.asset:
            return ()
        starts = symbols.pool_starts(self.scenario)
        return tuple(
            {"name": pool.name, "symbols": list(pool.symbols), "initial_usd": start}
            for pool, start in zip(symbols.pools(self.scenario), starts, strict=True)
        )

    def attribution(self) -> Attribution | None:
        """Return the losses by cohort of the paths in the tail, at each path's worst moment."""
        drawdown = self.columns["drawdown"]
        level = min(TAIL_LEVEL, *self.scenario.reserve.levels)
        rank = int(np.ceil(level * drawdown.size)) - 1
        tail = np.flatnonzero((drawdown >= np.partition(drawdown, rank)[rank]) & (drawdown > 0))
        if tail.size == 0:
            return None
        used = np.flatnonzero(np.any(self.losses[tail] != 0.0, axis=0))
        names = tuple(np.array(self.cohorts(), dtype=object)[used])
        return Attribution(names, tail.astype(np.int64), self.losses[tail][:, used])

    def liquidations(self) -> np.ndarray:
        """Return the ledger, sorted by path, step, round and account."""
        rows = np.concatenate(self.ledger) if self.ledger else np.zeros(0, LEDGER)
        return rows[np.lexsort((rows["account"], rows["round"], rows["step"], rows["path"]))]


def backstop_loss(states: np.ndarray) -> np.ndarray:
    """Return what the positions that backstop providers took have lost at the mark, shape (n,)."""
    return states["backstop_cost"] - states["backstop_qty"] * (states["mark"] - states["funding"])


def as_stated(ledger: np.ndarray, contract: Contract) -> np.ndarray:
    """Return the ledger with quantities as the venue states them."""
    stated = ledger.copy()
    stated["qty"] = contract.stated(ledger["qty"])
    return stated


def by_cohort(states: np.ndarray, n: int) -> np.ndarray:
    """Return the fund's loss by cohort at the worst moment, fee income and coins last; rows add up to the drawdown.

    Losses settled at once belong to the account's cohort.  What the inventory lost is shared in proportion to
    the notional that was taken over from each cohort.
    """
    fell = states["drawdown"] > 0
    settled, taken = states["worst_loss"][:, :n], states["worst_taken"][:, :n]
    fees, coins = (np.where(fell, states[name], 0.0) for name in ("worst_fees", "worst_coin"))
    settled = np.where(fell[:, None], settled, 0.0)
    held = states["drawdown"] - settled.sum(axis=1) + fees + coins
    total = taken.sum(axis=1)
    share = np.divide(taken, total[:, None], out=np.zeros_like(taken), where=total[:, None] > 0)
    return np.column_stack([settled + share * held[:, None], -fees, -coins])


def share_in_coin(scenario: Scenario) -> float:
    """Return the part of the fund's worth that moves with the coin's price against the contract's money."""
    moving, _ = scenario.fund.basket(scenario.exchange.contract, scenario.exchange.coin)
    return moving / scenario.fund_initial if scenario.fund_initial > 0.0 else scenario.fund.in_coin


def one_run_curve(scenario: Scenario) -> tuple[bool, str]:
    """Say whether one run answers every reserve level exactly, and why (docs/method.md, section 10)."""
    before = [layer.kind for layer in scenario.layer]
    before = before[: before.index("fund")]
    if before:
        return False, f"{', '.join(before)} before the fund: losses depend on who is hit first"
    if scenario.fund_is_limited:
        return False, "limits on the use of the fund: the reserve is that of a fund without them"
    if scenario.fund.basket(scenario.exchange.contract, scenario.exchange.coin)[0] > 0.0:
        return False, "part of the fund is held in the coin: a larger one loses more with the index"
    return True, "nothing before the first ruin depends on the fund's level"
