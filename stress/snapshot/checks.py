"""The checks of a batch of positions: each row is counted once, under the first thing that is wrong with it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stress.agents.base import Venue
from stress.agents.book import rounded
from stress.exchange.margin import breached
from stress.snapshot.columns import CROSS, SIDES
from stress.snapshot.numbers import numbers_of, text_of
from stress.snapshot.quality import Check, Findings, shown
from stress.snapshot.reading import Raw

# What makes a run impossible.
TORN = Check("torn", "error", "too few or too many values")
MISSING = Check("missing_value", "error", "a required value is missing")
NOT_A_NUMBER = Check("not_a_number", "error", "not a number")
NOT_FINITE = Check("not_finite", "error", "NaN or infinite")
UNKNOWN_MODE = Check("unknown_mode", "error", "mode is neither 'isolated' nor 'cross'")
UNKNOWN_SIDE = Check("unknown_side", "error", "side is neither 'long' nor 'short'")
CONTRADICTION = Check("contradiction", "error", "qty is negative and side is long")
UNKNOWN_SYMBOL = Check("unknown_symbol", "error", "symbol is none of the base's")
BAD_ENTRY = Check("bad_entry", "error", "entry is not above 0")
BAD_COLLATERAL = Check("negative_collateral", "error", "collateral is negative")
BAD_STOP = Check("bad_stop", "error", "stop is not above 0")
BELOW_TICK = Check("below_tick", "error", "entry rounds to 0 in ticks of the venue: set a finer exchange.tick")
LIQUIDATABLE = Check("liquidatable", "error", "equity is below maintenance margin at the mark")
DUPLICATE = Check("duplicate", "error", "account, symbol and mode were there before: an account has one position")
UNDERWATER = Check("liquidatable_account", "error", "equity of the cross account is below its maintenance margins")
TWO_WALLETS = Check("two_wallets", "error", "cross rows of one account state different wallets: --cross-wallet split?")
# What is left out by rule.
ZERO = Check("zero_qty", "dropped", "qty is 0")
OTHER_SYMBOL = Check("other_symbol", "dropped", "another symbol")
INCOMPLETE = Check("incomplete", "dropped", "another row of the same cross account is left out, so all of it is")
BELOW_LOT = Check("below_lot", "dropped", "smaller than half a lot of the venue")
# What is merely odd.
LEVERED = Check("above_tier", "warning", "leverage above the tier's maximum")
FAR_ENTRY = Check("far_entry", "warning", "entry more than 10 times off the mark: another unit?")
LIKE_USD = Check("like_usd", "warning", "qty x mark above 1,000 times the collateral: is qty in USD?")
TINY = Check("tiny", "warning", "qty x mark below a thousandth of the collateral: another unit?")
OTHER_MARK = Check("other_mark", "warning", "mark more than 1 % off the one that is used")
STOP_IGNORED = Check("stop_ignored", "warning", "the stop is left out: stops are for one symbol")
STOP_REACHED = Check("stop_reached", "warning", "the mark is already beyond the stop")
OF_SHARE = (LIKE_USD, FAR_ENTRY)  # in more than half of the rows they are errors of the whole file

PLAUSIBLE = 1_000.0  # leverage beyond which a size is in another unit: no venue of the presets offers it
ORDERS = 10.0  # ratio of entry and mark


@dataclass
class Batch:
    """Rows under check: columns by name, and which rows are still good."""

    rows: np.ndarray
    ok: np.ndarray
    findings: Findings
    columns: dict[str, Any] = field(default_factory=dict)
    n: int = 0  # rows that are not empty lines

    def __post_init__(self) -> None:
        self.bad = np.zeros(len(self.rows), dtype=bool)  # which rows have an error

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(name) from None

    def find(self, check: Check, struck: Any, example: Any = None, name: str = "", said: str = "") -> None:
        """Count the good rows that a check strikes; unless it is a mere warning, they are good no more.

        `example` is a column whose first struck value is shown, after its `name`; or else what is `said`.
        """
        struck = self.ok & np.asarray(struck, dtype=bool)
        if not struck.any():
            return
        if example is not None:
            said = f"{name} {_value(example, int(np.argmax(struck)))}".strip()
        self.findings.add(check, self.rows[struck], said)
        if check.level != "warning":
            self.ok &= ~struck
        if check.level == "error":
            self.bad |= struck

    def where(self, chosen: np.ndarray) -> "Batch":
        """Return some of the rows as a batch of their own, shape of `chosen` (n,)."""
        columns = {name: _chosen(column, chosen) for name, column in self.columns.items()}
        return Batch(self.rows[chosen], self.ok[chosen], self.findings, columns)

    def numbers(self, name: str, column: pa.Array, decimal: str, *, required: bool = True) -> None:
        """Read a column of numbers; an optional one may be blank."""
        found = numbers_of(column, decimal)
        if required:
            self.find(MISSING, found.blank)
        self.find(NOT_A_NUMBER, found.bad, column, name)
        self.find(NOT_FINITE, ~found.blank & ~found.bad & ~np.isfinite(found.values), column, name)
        self.columns[name] = found.values


def _chosen(column: Any, chosen: np.ndarray) -> Any:
    return column.filter(pa.array(chosen)) if isinstance(column, pa.Array) else column[chosen]


def _value(column: Any, i: int) -> str:
    value = column[i]
    return shown(value.as_py() if isinstance(value, pa.Scalar) else float(value))


def read_words(raw: Raw, findings: Findings, mode: str | None, symbol: str | None) -> Batch:
    """Start a batch with its words: account, symbol, mode and side; `mode` and `symbol` stand for absent columns."""
    given = {"mode": mode, "symbol": symbol}
    names = [name for name in ("account", "symbol", "mode", "side") if name in raw.columns]
    words: dict[str, Any] = {name: text_of(raw.columns[name]) for name in names}
    n = len(raw.rows)
    words |= {name: pa.array([word] * n, pa.string()) for name, word in given.items() if name not in words and word}
    filled = ~_blank_rows(raw)
    batch = Batch(raw.rows, filled, findings, dict(words), int(filled.sum()))
    for name in ("account", "symbol", "mode"):
        batch.find(MISSING, pc.equal(words[name], ""))
    cross = _coded(words["mode"], CROSS)
    batch.find(UNKNOWN_MODE, cross < 0, words["mode"])
    batch.columns["cross"] = cross.astype(np.int64)
    if "side" in words:
        batch.columns["sign"] = _coded(words["side"], SIDES, unknown=np.nan)
        batch.find(UNKNOWN_SIDE, np.isnan(batch.sign), words["side"])
    return batch


def _blank_rows(raw: Raw) -> np.ndarray:
    """Return which rows hold nothing at all: empty lines."""
    blank = np.ones(len(raw.rows), dtype=bool)
    for column in raw.columns.values():
        if not blank.any():
            break
        blank &= pc.equal(text_of(column), "").to_numpy(zero_copy_only=False)
    return blank


def _coded(words: pa.Array, meaning: dict[str, Any], unknown: float = -1.0) -> np.ndarray:
    """Return the number that every word means."""
    coded = pc.utf8_lower(words).dictionary_encode()
    table = np.array([float(meaning.get(word, unknown)) for word in coded.dictionary.to_pylist()])
    return table[coded.indices.to_numpy()] if table.size else np.zeros(0)


def read_numbers(batch: Batch, raw: Raw, decimal: str) -> None:
    """Add the numbers of the good rows; qty gets the sign of its side."""
    for name in ("qty", "entry", "collateral"):
        batch.numbers(name, raw.columns[name], decimal)
    for name in ("mark", "stop", "leverage"):
        if name in raw.columns:
            batch.numbers(name, raw.columns[name], decimal, required=False)
    if "sign" in batch.columns:
        batch.find(CONTRADICTION, (batch.qty < 0.0) & (batch.sign > 0.0), batch.qty)
        batch.columns["qty"] = np.where(batch.sign == 0.0, batch.qty, batch.sign * np.abs(batch.qty))
    batch.find(ZERO, batch.qty == 0.0)
    batch.find(BAD_ENTRY, ~(batch.entry > 0.0), batch.entry)
    batch.find(BAD_COLLATERAL, batch.collateral < 0.0, batch.collateral)
    if "stop" in batch.columns:
        batch.find(BAD_STOP, batch.stop <= 0.0, batch.stop)


def ignore_stops(batch: Batch) -> None:
    """Leave out the stops, and say so."""
    if "stop" in batch.columns:
        batch.find(STOP_IGNORED, ~np.isnan(batch.stop), batch.stop)
        del batch.columns["stop"]


def check_positions(batch: Batch, venue: Venue, *, shared: bool = False) -> None:
    """Check what depends on price, grids and tiers.

    Where wallets are `shared` among positions, equity of cross ones is another question (`snapshot.wallets`).
    """
    _ignore_the_bad(batch)
    accounts = rounded(batch, venue)
    batch.find(BELOW_LOT, accounts["qty"] == 0.0, batch.qty)
    batch.find(BELOW_TICK, accounts["entry"] <= 0.0, batch.entry)
    accounts["qty"] = np.where(batch.ok, accounts["qty"], 1.0)  # only good rows count from here
    _check_units(batch, accounts, venue)
    _check_stops(batch, venue)
    alone = accounts["cross"] == 0 if shared else batch.ok
    batch.find(LIQUIDATABLE, alone & breached(accounts, venue.price, venue.tiers), batch.account, "account")
    _check_leverage(batch, accounts, venue)


def _ignore_the_bad(batch: Batch) -> None:
    """Put harmless numbers where a row is bad already."""
    for name in ("qty", "entry", "collateral"):
        batch.columns[name] = np.where(batch.ok, batch.columns[name], 1.0)


def _check_units(batch: Batch, accounts: np.ndarray, venue: Venue) -> None:
    size = np.abs(accounts["qty"]) * venue.price
    held = accounts["collateral"] > 0.0
    batch.find(LIKE_USD, held & (size > PLAUSIBLE * accounts["collateral"]), batch.qty)
    batch.find(TINY, size * PLAUSIBLE < accounts["collateral"], batch.qty)
    ratio = accounts["entry"] / venue.price
    batch.find(FAR_ENTRY, (ratio > ORDERS) | (ratio < 1.0 / ORDERS), batch.entry)


def _check_stops(batch: Batch, venue: Venue) -> None:
    """Warn of marks and stops that do not fit the price; both are in USD."""
    price = venue.contract.usd_price(venue.price)
    if "mark" in batch.columns:
        batch.find(OTHER_MARK, np.abs(batch.mark / price - 1.0) > 0.01, batch.mark)
    if "stop" in batch.columns:
        batch.find(STOP_REACHED, np.where(batch.qty > 0.0, batch.stop >= price, batch.stop <= price), batch.stop)


def _check_leverage(batch: Batch, accounts: np.ndarray, venue: Venue) -> None:
    """Warn of a stated leverage, or that of an isolated position at entry, above the tier's maximum."""
    value = np.abs(accounts["qty"]) * accounts["entry"]
    limit = venue.max_leverage(value) * (1.0 + 1e-9)
    above = (accounts["cross"] == 0) & (value > limit * accounts["collateral"])
    if "leverage" in batch.columns:
        above |= batch.leverage > limit
    batch.find(LEVERED, above, batch.account, "account")
