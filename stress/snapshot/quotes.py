"""Which symbols of a file are taken, and at which mark: one by its name in the file, or those of the base."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stress import symbols
from stress.agents.base import Venue
from stress.scenario import Scenario
from stress.snapshot import checks
from stress.snapshot.checks import Batch
from stress.snapshot.quality import shown
from stress.toml import ScenarioError, hint

MOST_SYMBOLS = 1_000  # of a file; 10 are named in a message


@dataclass
class Quote:
    """A symbol as its rows are checked: its venue at the mark, and how many rows looked odd."""

    venue: Venue
    mark: float
    mark_from: str
    n: int = 0
    odd: dict[checks.Check, int] = field(default_factory=lambda: dict.fromkeys(checks.OF_SHARE, 0))

    def check(self, batch: Batch, *, in_usd: bool, shared: bool) -> None:
        """Check the positions of a batch, all in this symbol."""
        if in_usd:
            batch.columns["qty"] = batch.qty / self.venue.price
        self.n += int(batch.ok.sum())
        before = {check: batch.findings.count(check.name) for check in self.odd}
        checks.check_positions(batch, self.venue, shared=shared)
        for check, count in before.items():
            self.odd[check] += batch.findings.count(check.name) - count

    def problems(self) -> Iterator[str]:
        """Yield what is odd in most rows, and so is wrong with the file."""
        says = {
            checks.LIKE_USD: "the sizes look like USD: use --qty-unit usd",
            checks.FAR_ENTRY: f"the entries are more than 10 times off the mark {self.mark:,.10g}: check --mark",
        }
        for check, said in says.items():
            if self.odd[check] > 0.5 * self.n:
                yield f"in {self.odd[check]:,} of {self.n:,} rows {said}"


class Quotes:
    """The symbols that were met so far, each at its mark; `priced` is the base at those marks."""

    def __init__(self, request: Any, base: Scenario):
        self.request, self.priced = request, base
        self.known = symbols.names(base)  # empty: the file has one symbol, under any name
        self.symbol = request.symbol
        self.found: dict[str, Quote] = {}
        self.others = set[str]()
        self._check_marks()

    def _check_marks(self) -> None:
        for symbol in self.request.marks if self.known else ():
            if symbol not in self.known:
                raise ScenarioError(f"--mark {shown(symbol)}: is none of the base's{hint(symbol, self.known)}")

    def parts(self, batch: Batch) -> Iterator[tuple[str, Quote, Batch]]:
        """Yield every symbol with its quote and its good rows."""
        if not self.known:
            quote = self.found.get(self.symbol or "") or self._first(str(self.symbol), batch)
            if quote is not None:
                yield str(self.symbol), quote, batch
            return
        for symbol in batch.symbol.filter(pa.array(batch.ok)).unique().to_pylist():
            mine = batch.where(batch.ok & pc.equal(batch.symbol, symbol).to_numpy(zero_copy_only=False))
            quote = self.found.get(symbol) or self._first(symbol, mine)
            if quote is not None:
                yield symbol, quote, mine

    def choose(self, batch: Batch) -> None:
        """Keep the rows of the symbol asked for, or of the first in the file, or of the base's symbols."""
        names = batch.symbol.filter(batch.ok).unique().to_pylist()
        if self.known:
            self._refuse_unknown(batch, names)
        elif self.symbol is None and names:
            self.symbol = names[0]
        if self.known and self.symbol is None:
            return
        if len(self.others) < MOST_SYMBOLS:
            self.others |= set(names) - {self.symbol}
        batch.find(checks.OTHER_SYMBOL, pc.not_equal(batch.symbol, self.symbol or ""), batch.symbol)

    def _refuse_unknown(self, batch: Batch, names: list[str]) -> None:
        unknown = pc.invert(pc.is_in(batch.symbol, value_set=pa.array(self.known))).to_numpy(zero_copy_only=False)
        first = next((name for name in names if name not in self.known), "")
        batch.find(checks.UNKNOWN_SYMBOL, unknown, said=f"{shown(first)}{hint(first, self.known)}")

    def _first(self, symbol: str, batch: Batch) -> Quote | None:
        """Take the mark that was given, or else the first of the file, or else the base's."""
        if not batch.ok.any():
            return None
        at = self.known.index(symbol) if self.known else 0
        marks = batch.columns.get("mark", np.zeros(0))
        usable = marks[batch.ok[: marks.size] & (marks > 0.0)]
        mark, mark_from = self._of_base(at), "of the base scenario: give yours with --mark"
        if symbol in self.request.marks or (self.request.marks and not self.known):
            mark, mark_from = self._given(symbol), "given"
        elif usable.size:
            mark, mark_from = float(usable[0]), "the first of the file"
        self._price(at, mark)
        self.found[symbol] = Quote(self.priced.desks[at].venue, mark, mark_from)
        return self.found[symbol]

    def _of_base(self, at: int) -> float:
        return self.priced.asset[at].price_usd if self.known else self.priced.market.price_usd

    def _price(self, at: int, mark: float) -> None:
        prices = {f"asset.{at}.price_usd": mark} if self.known else {}
        if at == 0:
            prices["market.price_usd"] = mark
        self.priced = self.priced.with_(**prices)

    def _given(self, symbol: str) -> float:
        if symbol not in self.request.marks:
            known = list(self.request.marks)
            raise ScenarioError(f"--mark: is of {', '.join(known)}; the positions are in {shown(symbol)}")
        return self.request.marks[symbol]

    @property
    def venues(self) -> dict[str, Venue]:
        """Every symbol's venue, in the order of the base."""
        ordered = [symbol for symbol in self.known or self.found if symbol in self.found]
        return {symbol: self.found[symbol].venue for symbol in ordered}

    def key(self, symbol: str, name: str) -> str:
        """Return the key of the scenario that sets a grid of a symbol."""
        shared = name == "cent" or not self.known
        return f"exchange.{name}" if shared else f"asset.{self.known.index(symbol)}.{name}"
