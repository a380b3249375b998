"""What was found wrong or odd in a file of positions: how often, and in which rows first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

import numpy as np

from stress.toml import ScenarioError

SHOWN = 5  # row numbers of each kind
MOST_LINES = 10  # of a refusal

OWN = {"largest", "units", "parts"}  # of totals that are added up: what is no sum

Level = Literal["error", "dropped", "warning"]


def shown(value: Any, longest: int = 40) -> str:
    """Return a value of the file as a message may show it: escaped, and cut to a length that fits a line."""
    text = f"{value:.10g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= longest else f"{text[: longest - 4]}...{text[-1]}"


class Check(NamedTuple):
    """One thing that may be wrong with a row: an error, a row that is left out by rule, or merely odd."""

    name: str
    level: Level
    says: str


@dataclass
class Finding:
    """How often a check has struck, in which rows first, and what stood there."""

    check: Check
    count: int = 0
    rows: list[int] = field(default_factory=list)
    example: str = ""

    def __str__(self) -> str:
        listed = ", ".join(f"{row:,}" for row in self.rows[:SHOWN])
        more = ", ..." if self.count > SHOWN else ""
        rows = f"{self.count:,} rows ({listed}{more})" if self.count > 1 else f"row {listed}"
        return f"{rows}: {self.check.says}{self.example and f', e.g. {self.example}'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding, JSON-ready."""
        about = self.check._asdict()
        return about | {"count": self.count, "rows": self.rows[:SHOWN], "example": self.example or None}


class Findings:
    """All findings of a file, in the order in which they were first met."""

    def __init__(self) -> None:
        self.found: dict[str, Finding] = {}

    def add(self, check: Check, rows: np.ndarray, example: str = "", count: int | None = None) -> None:
        """Count rows under a check; `count` where only the first rows are known."""
        if len(rows) == 0:
            return
        finding = self.found.setdefault(check.name, Finding(check, example=example))
        finding.count += len(rows) if count is None else count
        first = [*finding.rows, *(int(row) for row in rows[:SHOWN])]
        finding.rows = sorted(first)[:SHOWN]

    def count(self, name: str) -> int:
        """Return how often a check has struck."""
        return self.found[name].count if name in self.found else 0

    def of(self, level: Level) -> list[Finding]:
        """Return the findings of a level."""
        return [finding for finding in self.found.values() if finding.check.level == level]


class Refused(ScenarioError):
    """The file makes a run impossible: one line for each kind of problem."""

    def __init__(self, source: str, lines: list[str], quality: "Quality"):
        kept = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], f"{len(lines) - MOST_LINES + 1} more"]
        self.lines = [f"{source}: {line}" for line in kept]
        self.quality = quality
        super().__init__("; ".join(self.lines))


@dataclass(frozen=True)
class Totals:
    """A book in numbers; amounts in USD at the mark, rounding included.

    Parameters
    ----------
    n, n_cross : int
        Positions, and those on cross margin.
    long, short : float
        Open interest of each side, without makers.
    collateral, equity : float
    largest : float
        Notional of the largest position.
    rounded_qty, rounded_entry, rounded_collateral : float
        How much rounding to the venue's grids has moved: position sizes, values at entry, and collateral.
    units : mapping
        Sums in units of the grids, which must stay below 2^53 to be exact.
    parts : tuple of Totals
        Those of each symbol, where there are several.
    """

    n: int = 0
    n_cross: int = 0
    long: float = 0.0
    short: float = 0.0
    collateral: float = 0.0
    equity: float = 0.0
    largest: float = 0.0
    rounded_qty: float = 0.0
    rounded_entry: float = 0.0
    rounded_collateral: float = 0.0
    units: dict[str, float] = field(default_factory=dict)
    parts: tuple["Totals", ...] = ()

    @classmethod
    def added(cls, parts: "Sequence[Totals]") -> "Totals":
        """Return the totals of several symbols together: each has its own sides, and its own grids."""
        sums = {f.name: sum(getattr(part, f.name) for part in parts) for f in fields(cls) if f.name not in OWN}
        return cls(**sums, largest=max(part.largest for part in parts), parts=tuple(parts))

    @property
    def open_interest(self) -> float:
        """Notional of one side, makers included; of several symbols, of them all."""
        return sum(part.open_interest for part in self.parts) if self.parts else max(self.long, self.short)

    @property
    def to_makers(self) -> float:
        """Net position that the makers take: long if positive."""
        return self.short - self.long

    @property
    def imbalance(self) -> float:
        """Difference of the sides as a share of the larger one, symbol by symbol."""
        taken = sum(abs(part.to_makers) for part in self.parts or (self,))
        return taken / self.open_interest if self.open_interest else 0.0


@dataclass(frozen=True)
class Traded:
    """The part of a book that is in one symbol."""

    symbol: str
    mark: float
    mark_from: str
    totals: Totals

    def to_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready; collateral is not among it, as one wallet may back several symbols."""
        t, names = self.totals, ("long", "short", "to_makers", "imbalance", "largest")
        about = {"symbol": self.symbol, "mark": self.mark, "mark_from": self.mark_from, "positions": t.n}
        return about | {name: getattr(t, name) for name in names}

    def facts(self, *, several: bool) -> Iterator[tuple[str, str]]:
        """Yield (what, how much) of the symbol's two sides, for people."""
        t, of = self.totals, f"{shown(self.symbol)} " if several else ""
        yield f"{of}long", f"USD {t.long:,.0f}"
        yield f"{of}short", f"USD {t.short:,.0f}"
        side = "long" if t.to_makers > 0.0 else "short"
        yield f"{of}to makers", f"USD {abs(t.to_makers):,.0f} {side} ({100 * t.imbalance:.3g} % of open interest)"


@dataclass(frozen=True)
class Quality:
    """What an import read, left out, found, and wrote."""

    source: str
    sha256: str
    rows: int
    traded: tuple[Traded, ...]
    findings: Findings
    totals: Totals
    problems: tuple[str, ...] = ()
    as_of: str | None = None
    others: tuple[str, ...] = ()  # symbols that were left out
    cross_wallet: str | None = None  # "split" or "repeated", where accounts may have several positions
    out: str = ""
    book: str = ""

    @property
    def symbols(self) -> str:
        """The names of what is traded, for people."""
        return ", ".join(shown(part.symbol) for part in self.traded)

    def refusals(self, *, skip_bad: bool) -> list[str]:
        """Return what makes a run impossible, one line a kind."""
        errors = [] if skip_bad else [str(finding) for finding in self.findings.of("error")]
        hint = ["bad rows can be left out with --skip-bad"] if errors else []
        return [*self.problems, *errors, *hint]

    @property
    def n_bad(self) -> int:
        """How many rows have an error."""
        return sum(finding.count for finding in self.findings.of("error"))

    def to_dict(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        t = self.totals
        names = ("long", "short", "to_makers", "imbalance", "collateral", "equity", "largest")
        rounding = {"qty": t.rounded_qty, "entry": t.rounded_entry, "collateral": t.rounded_collateral}
        about = {name: getattr(self, name) for name in ("source", "sha256", "rows")}
        only = self.traded[0].to_dict() if len(self.traded) == 1 else {}
        return {
            "schema": "fundstress.import/1",
            **about,
            **{name: only.get(name) for name in ("symbol", "mark", "mark_from")},  # null for several
            "symbols": [part.to_dict() for part in self.traded],
            "cross_wallet": self.cross_wallet,
            "as_of": self.as_of,
            "positions": t.n,
            "cross": t.n_cross,
            **{name: getattr(t, name) for name in names},
            "rounding": rounding,
            "left_out_symbols": list(self.others),
            "findings": [finding.to_dict() for finding in self.findings.found.values()],
            "problems": list(self.problems),
            "out": self.out or None,
            "book": self.book or None,
        }

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield (what, how much) of the book, for people."""
        t = self.totals
        yield "positions", f"{t.n:,} of {self.rows:,} rows ({t.n - t.n_cross:,} isolated, {t.n_cross:,} cross)"
        for part in self.traded:
            yield "symbol, mark", f"{shown(part.symbol)}, {part.mark:,.10g} USD ({part.mark_from})"
        if self.as_of:
            yield "as of", self.as_of
        for part in self.traded:
            yield from part.facts(several=len(self.traded) > 1)
        if self.cross_wallet:
            yield "cross wallets", f"{self.cross_wallet} (--cross-wallet)"
        yield "collateral", f"USD {t.collateral:,.0f}; equity USD {t.equity:,.0f}"
        if t.equity > 0.0:
            yield "gross leverage", f"{(t.long + t.short) / t.equity:.3g}"
        yield "largest position", f"USD {t.largest:,.0f} ({100 * t.largest / max(t.open_interest, 1e-300):.3g} %)"
        moved = f"sizes USD {t.rounded_qty:,.2f}, entries USD {t.rounded_entry:,.2f}"
        yield "moved by rounding", f"{moved}, collateral USD {t.rounded_collateral:,.2f}"
