"""What happened to the fund, path by path: the columns, the facts of the run, and their file.

`Outcomes` is the only thing that an engine hands on and the only thing that the summary reads.  It knows
nothing of accounts, rules or prices: one row a path, and enough facts about the run to read the rows.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["AMOUNTS", "COLUMNS", "COLUMN_DOCS", "Attribution", "Facts", "Outcomes", "Pools", "concat"]

_SCHEMA = "fundstress.outcomes/1"
USD = "USD"
_POOL = "pool_"  # begins the names of columns that only a fund in several pools has

_COLUMNS: dict[str, tuple[type, str]] = {
    "population": (np.int32, "which draw of the accounts the path used"),
    "weight": (np.float64, "likelihood ratio of the path; 1 in crude runs"),
    "drawdown": (np.float64, "reserve that the path would have needed, with credit for income; quote >= 0"),
    "drawdown_gross": (np.float64, "the same without credit for any income; quote >= 0"),
    "drawdown_step": (np.int32, "step of the first event within 1e-9 of the deepest fall; -1 if none"),
    "fund_end": (np.float64, "fund at the horizon, inventory marked; quote"),
    "fund_cash_end": (np.float64, "cash of the fund at the horizon; quote"),
    "ruin_step": (np.int32, "step at which the fund was exhausted; -1 if never"),
    "surplus": (np.float64, "paid into the fund by liquidations; quote >= 0"),
    "bad_debt": (np.float64, "owed by the fund for liquidations; quote >= 0"),
    "inventory_pnl": (np.float64, "profit of the inventory that the fund took over; quote"),
    "inventory_peak": (np.float64, "largest notional that the fund carried as inventory; quote >= 0"),
    "coin_pnl": (np.float64, "profit of the part of the fund that is held in the coin; quote"),
    "fee_income": (np.float64, "fees credited to the fund; quote >= 0"),
    "liquidated_accounts": (np.int32, "accounts liquidated at least once"),
    "liquidated_notional": (np.float64, "notional closed by liquidations; quote >= 0"),
    "stopped_notional": (np.float64, "notional closed by holders' own stops and targets; quote >= 0"),
    "margin_added": (np.float64, "margin that holders added from outside; quote >= 0"),
    "deleveraged_notional": (np.float64, "notional of winners closed by auto-deleveraging; quote >= 0"),
    "forgone_profit": (np.float64, "profit that the deleveraged gave up beyond the transfer price; quote >= 0"),
    "broken_hedges": (np.float64, "notional deleveraged from makers, who hedge it elsewhere; quote >= 0"),
    "fund_draw": (np.float64, "what the fund paid and its inventory lost, sold or marked, without income; quote >= 0"),
    "backstop_loss": (np.float64, "loss at the horizon of positions that backstop providers took; quote >= 0"),
    "fee_pool_paid": (np.float64, "loss paid by the pool of fees; quote >= 0"),
    "operator_paid": (np.float64, "loss paid by the operator; quote >= 0"),
    "topped_up": (np.float64, "paid into the fund by the operator; quote >= 0"),
    "socialized_loss": (np.float64, "loss shared among customers; quote >= 0"),
    "haircut": (np.float64, "largest share of all positive equity charged at one event"),
    "unresolved_shortfall": (np.float64, "loss that no layer has covered at the horizon; quote >= 0"),
    "price_min": (np.float64, "lowest mark price; USD"),
    "price_max": (np.float64, "highest mark price; USD"),
    "rounds_max": (np.int32, "most liquidation rounds in one step"),
    "conservation_error": (np.float64, "worst imbalance of the books, as a share of open interest"),
}

#: Column name -> NumPy dtype, in the order of the file and of the digest.
COLUMNS: Mapping[str, np.dtype] = MappingProxyType({name: np.dtype(kind) for name, (kind, _) in _COLUMNS.items()})

#: Column name -> meaning, unit and sign, in one line.
COLUMN_DOCS: Mapping[str, str] = MappingProxyType({name: text for name, (_, text) in _COLUMNS.items()})

#: Columns of amounts, in the money of the run.
AMOUNTS = tuple(name for name, text in COLUMN_DOCS.items() if "; quote" in text)


def _scaled(row: Mapping[str, Any], names: tuple[str, ...], rate: float) -> dict[str, Any]:
    """Return a row with some amounts, or lists of amounts, in another money."""
    amounts = {name: row[name] for name in names if name in row}
    found = {name: [x * rate for x in a] if isinstance(a, list) else a * rate for name, a in amounts.items()}
    return {**row, **found}


@dataclass(frozen=True)
class Facts:
    """What a reader must know about a run to read its columns.

    Parameters
    ----------
    scenario, config_sha256, seed, engine : str, str, int, str
        Name of the scenario, hash of its resolved configuration, root seed, engine that ran.
    n_steps, n_accounts : int
        Steps of a path, accounts of a population.
    step_seconds, horizon_hours : float
        Length of a step and of a path.
    fund_initial, open_interest : float
        Fund at the start and one side's open interest, in `unit`, the quote of all columns.
    conditional_on_book : bool
        Whether the accounts were given (one book) and not drawn from laws.
    one_run_curve_exact : bool
        Whether one run answers every reserve: nothing before the first ruin depends on the fund's level.
    curve_note, engine_note : str
        Why the one-run curve is or is not exact; what the choice of engine implies.
    levels, confidence : tuple of float, float
        Levels of the reserve that the scenario asks for, and confidence of the intervals.
    elapsed_s : dict
        Seconds by phase: ``compile``, ``simulate``, ``total``.
    cohorts : tuple of str
        Names of the agent types, each one a cohort.
    cover : tuple of dict
        ``{"n": 1, "move": -0.3, "losses": [one a population], "fund": ...}``: the fund's loss if the n largest
        accounts default at that relative move of the USD price, and what the fund is worth there; quote.
    fund_in_coin : float
        Share of the initial fund that moves with the coin's price against the money of the contract.
    unit, unit_usd : str, float
        Name of the money of all amounts, and what one unit of it was worth at the start, in USD.
    pools : tuple of dict
        ``{"name", "symbols", "initial_usd"}`` of every pool of a fund behind several symbols; `Pools` has the paths.
    renewal : bool
        Whether accounts who close, are liquidated or leave are followed by others.
    presets : tuple of str
        Internal standards whose reserves the scenario asks for.
    own_funds : dict, optional
        ``{"service_class": 3, "fixed_overheads_eur": 9e5}``: what the firm's own funds follow from.
    """

    scenario: str
    config_sha256: str
    seed: int
    engine: str
    n_steps: int
    step_seconds: float
    n_accounts: int
    horizon_hours: float
    fund_initial: float
    open_interest: float
    conditional_on_book: bool
    one_run_curve_exact: bool
    curve_note: str = ""
    engine_note: str = ""
    levels: tuple[float, ...] = (0.99, 0.995, 0.999)
    confidence: float = 0.95
    elapsed_s: dict[str, float] = field(default_factory=dict)
    cohorts: tuple[str, ...] = ()
    cover: tuple[dict[str, Any], ...] = ()
    fund_in_coin: float = 0.0
    unit: str = USD
    unit_usd: float = 1.0
    pools: tuple[dict[str, Any], ...] = ()
    renewal: bool = False
    presets: tuple[str, ...] = ()
    own_funds: dict[str, Any] | None = None

    def __post_init__(self):
        typed = [{"n": int(r["n"]), "move": float(r["move"])} for r in self.cover]
        losses = [[float(x) for x in r["losses"]] for r in self.cover]
        rows = [{**r, **t, "losses": x} for r, t, x in zip(self.cover, typed, losses, strict=True)]
        object.__setattr__(self, "cover", tuple(rows))
        object.__setattr__(self, "elapsed_s", {phase: float(s) for phase, s in self.elapsed_s.items()})
        object.__setattr__(self, "levels", tuple(float(level) for level in self.levels))
        object.__setattr__(self, "cohorts", tuple(self.cohorts))
        object.__setattr__(self, "presets", tuple(self.presets))
        object.__setattr__(self, "pools", tuple(self.pools))

    def in_usd(self) -> "Facts":
        """Return the facts with all amounts in USD at the first price."""
        rate = self.unit_usd
        amounts: dict[str, Any] = {name: getattr(self, name) * rate for name in ("fund_initial", "open_interest")}
        amounts["cover"] = tuple(_scaled(row, ("losses", "fund"), rate) for row in self.cover)
        amounts["pools"] = tuple(_scaled(row, ("initial_usd",), rate) for row in self.pools)
        return replace(self, unit=USD, unit_usd=1.0, **amounts)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain, JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Facts":
        """Build the facts from `to_dict`'s result, read back from JSON or not."""
        return cls(**values)


@dataclass(frozen=True, eq=False)
class Attribution:
    """Who caused the fund's deepest fall, on the listed paths.

    Parameters
    ----------
    cohorts : tuple of str
        Names of the cohorts.
    path : ndarray, shape (k,), int64
        Row numbers of the listed paths, each once.
    loss : ndarray, shape (k, n_cohorts)
        Net loss of the fund by cohort at the path's worst moment, in quote currency: a row adds up to the
        path's ``drawdown``.

    Raises
    ------
    ValueError
        When the shapes do not match or a path is listed twice.
    """

    cohorts: tuple[str, ...]
    path: np.ndarray
    loss: np.ndarray

    def __post_init__(self):
        path = np.array(self.path, dtype=np.int64)
        loss = np.array(self.loss, dtype=np.float64).reshape(-1, len(self.cohorts))
        if path.ndim != 1 or loss.shape[0] != path.size:
            raise ValueError(f"attribution: {path.size} paths but {loss.shape[0]} rows of losses")
        if np.unique(path).size != path.size:
            raise ValueError("attribution: a path is listed twice")
        for name, value in (("cohorts", tuple(self.cohorts)), ("path", path), ("loss", loss)):
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain, JSON-ready values."""
        return {"cohorts": list(self.cohorts), "path": self.path.tolist(), "loss": self.loss.tolist()}


@dataclass(frozen=True, eq=False)
class Pools:
    """What happened to every pool of a fund behind several symbols, in the order of ``Facts.pools``.

    Parameters
    ----------
    drawdown : ndarray, shape (n_paths, n_pools)
        Reserve that the pool would have needed, with credit for income; quote >= 0.
    ruin_step : ndarray, shape (n_paths, n_pools), int32
        Step at which the pool was exhausted; -1 if never.

    Raises
    ------
    ValueError
        When the shapes differ.
    """

    drawdown: np.ndarray
    ruin_step: np.ndarray

    def __post_init__(self):
        drawdown, ruin_step = np.array(self.drawdown, np.float64), np.array(self.ruin_step, np.int32)
        if drawdown.ndim != 2 or drawdown.shape != ruin_step.shape:
            raise ValueError(f"pools: drawdown has shape {drawdown.shape}, ruin_step {ruin_step.shape}")
        for name, values in (("drawdown", drawdown), ("ruin_step", ruin_step)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def in_money(self, rate: float) -> "Pools":
        """Return the pools in a money of which one unit of this one buys `rate`."""
        return Pools(self.drawdown * rate, self.ruin_step)

    def as_columns(self) -> dict[str, np.ndarray]:
        """Return one column a pool and field, as the file has them."""
        fields_of = {"drawdown": self.drawdown, "ruin_step": self.ruin_step}
        return {f"{_POOL}{i}_{name}": table[:, i] for name, table in fields_of.items() for i in range(table.shape[1])}

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> "Pools | None":
        """Return what `as_columns` wrote among other columns; None where there is none."""
        tables = [
            [columns[key] for key in columns if key.startswith(_POOL) and key.endswith(f"_{name}")]
            for name in ("drawdown", "ruin_step")
        ]
        return cls(*map(np.column_stack, tables)) if tables[0] else None


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes:
    """The result of a run: one row a path, the facts, and optionally who caused the worst moments.

    A column is also an attribute: ``outcomes.drawdown``.

    Parameters
    ----------
    columns : mapping of str to ndarray, each of shape (n_paths,)
        Exactly the names of `COLUMNS`; a dtype may be narrower than listed, never wider.
    facts : Facts
        What the run was.
    attribution : Attribution, optional
        Losses by cohort at the worst moment of some paths.
    ledger : structured array, optional
        Liquidations (path, step, round, account, qty), when the run was asked to keep them.
    pools : Pools, optional
        Pool by pool, where the fund stands behind several symbols.

    Raises
    ------
    ValueError
        When a column is missing, unknown, of another length or type, or not finite, when the attribution
        does not add up to ``drawdown``, or when there are not as many pools as the facts name.
    """

    columns: Mapping[str, np.ndarray]
    facts: Facts
    attribution: Attribution | None = None
    ledger: np.ndarray | None = None
    pools: Pools | None = None

    def __post_init__(self):
        _check_names(self.columns)
        columns = {name: _column(name, self.columns[name]) for name in COLUMNS}
        _check_lengths(columns)
        object.__setattr__(self, "columns", MappingProxyType(columns))
        _check_attribution(self)
        _check_pools(self)

    def __getattr__(self, name: str) -> np.ndarray:
        if name in COLUMNS:
            return self.columns[name]
        raise AttributeError(f"Outcomes has no attribute or column {name!r}")

    def __reduce__(self):
        return Outcomes, (dict(self.columns), self.facts, self.attribution, self.ledger, self.pools)

    def __repr__(self) -> str:
        return f"Outcomes({self.facts.scenario!r}, {self.n_paths} paths, {self.n_populations} populations)"

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return len(self.columns["drawdown"])

    @property
    def n_populations(self) -> int:
        """Number of different draws of the accounts."""
        return len(np.unique(self.columns["population"]))

    def in_usd(self) -> "Outcomes":
        """Return the outcomes with all amounts in USD at the first price; the ledger's sizes stay as stated."""
        facts, rate = self.facts, self.facts.unit_usd
        if facts.unit == USD:
            return self
        columns = {name: self.columns[name] * rate if name in AMOUNTS else self.columns[name] for name in COLUMNS}
        table = self.attribution
        attribution = table and Attribution(table.cohorts, table.path, table.loss * rate)
        return Outcomes(columns, facts.in_usd(), attribution, self.ledger, self.pools and self.pools.in_money(rate))

    def to_pandas(self) -> Any:
        """Return the columns as a pandas DataFrame, one row a path."""
        return _table(self).to_pandas()

    def digest(self) -> str:
        """Return the sha256 of all column bytes, in the order of `COLUMNS`."""
        total = hashlib.sha256()
        for name in COLUMNS:
            total.update(np.ascontiguousarray(self.columns[name]).tobytes())
        return total.hexdigest()

    def save(self, path: str | os.PathLike) -> None:
        """Write a Parquet file, whole or not at all; the facts travel in its metadata."""
        with _replacing(Path(path)) as temporary:
            pq.write_table(_table(self), temporary, compression="zstd")

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Outcomes":
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            When the file is not a Parquet file of outcomes.
        """
        try:
            table = pq.read_table(path)
            facts, attribution = _from_metadata(table.schema.metadata or {})
        except (pa.ArrowInvalid, KeyError) as error:
            raise ValueError(f"{path}: not an outcomes file") from error
        columns = {name: table[name].to_numpy() for name in table.column_names}
        pools = Pools.from_columns(columns)
        columns = {name: values for name, values in columns.items() if not (pools and name.startswith(_POOL))}
        return cls(columns, facts, attribution, pools=pools)


def concat(parts: Sequence[Outcomes]) -> Outcomes:
    """Join parts of one run, in order; a ValueError when there are none or they are of different runs.

    The facts agree in everything but ``elapsed_s``, which is added up.  The attribution's paths are
    renumbered; it is dropped when a part has none, as the pools are.
    """
    if not parts:
        raise ValueError("concat: no outcomes to join")
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in COLUMNS}
    facts = _joint_facts([part.facts for part in parts])
    return Outcomes(columns, facts, _joint_attribution(parts), pools=_joint_pools(parts))


def _check_names(columns: Mapping[str, Any]) -> None:
    missing = [name for name in COLUMNS if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing or unknown:
        raise ValueError(f"outcomes: missing columns {missing}, unknown columns {unknown}")


def _column(name: str, values: Any) -> np.ndarray:
    given, wanted = np.asarray(values), COLUMNS[name]
    if given.ndim != 1 or not np.can_cast(given.dtype, wanted, "safe"):
        raise ValueError(f"outcomes: column {name} is {given.ndim}-D {given.dtype}; expected 1-D {wanted}")
    if not np.isfinite(given).all():
        raise ValueError(f"outcomes: column {name} holds values that are not finite")
    column = given.astype(wanted, copy=False).view()
    column.setflags(write=False)
    return column


def _check_lengths(columns: Mapping[str, np.ndarray]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    n_paths = lengths["drawdown"]
    wrong = {name: length for name, length in lengths.items() if length != n_paths}
    if wrong or not n_paths:
        raise ValueError(f"outcomes: {n_paths} paths in drawdown, other lengths {wrong}")


def _check_attribution(outcomes: Outcomes) -> None:
    table = outcomes.attribution
    if table is None or not table.path.size:
        return
    if table.path.min() < 0 or table.path.max() >= outcomes.n_paths:
        raise ValueError(f"attribution: a path lies outside 0..{outcomes.n_paths - 1}")
    gap = np.abs(table.loss.sum(axis=1) - outcomes.drawdown[table.path]).max()
    if gap > 1e-9 * max(1.0, outcomes.facts.open_interest, outcomes.drawdown.max()):
        raise ValueError(f"attribution: losses by cohort miss the drawdown by up to {gap:g}")


def _check_pools(outcomes: Outcomes) -> None:
    if outcomes.pools is None:
        return
    wanted = (outcomes.n_paths, len(outcomes.facts.pools))
    if outcomes.pools.drawdown.shape != wanted:
        raise ValueError(f"pools: of shape {outcomes.pools.drawdown.shape}; expected {wanted}, paths and pools")


def _table(outcomes: Outcomes) -> pa.Table:
    attribution = outcomes.attribution.to_dict() if outcomes.attribution else None
    text = json.dumps({"facts": outcomes.facts.to_dict(), "attribution": attribution}, allow_nan=False)
    columns = dict(outcomes.columns) | (outcomes.pools.as_columns() if outcomes.pools else {})
    return pa.table(columns).replace_schema_metadata({_SCHEMA: text})


def _from_metadata(metadata: Mapping[bytes, bytes]) -> tuple[Facts, Attribution | None]:
    values = json.loads(metadata[_SCHEMA.encode()])
    table = values["attribution"]
    return Facts.from_dict(values["facts"]), Attribution(**table) if table else None


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary neighbour of `path` that takes its place only when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _joint_facts(facts: Sequence[Facts]) -> Facts:
    first = facts[0]
    shared = [f.name for f in fields(Facts) if f.name != "elapsed_s"]
    differ = [name for name in shared if any(getattr(other, name) != getattr(first, name) for other in facts)]
    if differ:
        raise ValueError(f"concat: the parts are not of one run; they differ in {', '.join(differ)}")
    phases = dict.fromkeys(phase for part in facts for phase in part.elapsed_s)
    return replace(first, elapsed_s={p: sum(part.elapsed_s.get(p, 0.0) for part in facts) for p in phases})


def _joint_attribution(parts: Sequence[Outcomes]) -> Attribution | None:
    tables = [part.attribution for part in parts if part.attribution is not None]
    if len(tables) < len(parts):
        return None
    starts = np.cumsum([0] + [part.n_paths for part in parts[:-1]])
    path = np.concatenate([start + table.path for start, table in zip(starts, tables, strict=True)])
    return Attribution(tables[0].cohorts, path, np.concatenate([table.loss for table in tables]))


def _joint_pools(parts: Sequence[Outcomes]) -> Pools | None:
    found = [part.pools for part in parts if part.pools is not None]
    if len(found) < len(parts):
        return None
    tables = [(pools.drawdown, pools.ruin_step) for pools in found]
    return Pools(*(np.concatenate(part) for part in zip(*tables, strict=True)))
