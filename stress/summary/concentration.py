"""How much of a book is in how few hands: shares of the largest, Gini, tail index, effective number.

All of one non-negative number an account, such as its notional; estimators are of the sample as it is, without a model
but for the tail index.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from stress.summary.notation import percent

__all__ = ["Concentration", "ConcentrationSpread", "concentration", "gini", "hill", "spread_of"]

FEWEST, MOST = 10, 200  # of the largest accounts that tell the tail index


@dataclass(frozen=True)
class Concentration:
    """What one book looks like from its largest account down.

    Parameters
    ----------
    n_accounts : int
        Accounts that hold something.
    total : float
        What they hold, in quote.
    largest : float or None
        What the largest holds over the open interest of its side; over `total` if none is given.
    top_1, top_10, top_percent : float or None
        Share of the largest one, ten, and hundredth part of the accounts in the total.
    gini : float or None
        0 if all hold the same, towards 1 if one holds everything.
    hill, hill_error : float or None
        Tail index alpha of P(size > x) ~ x^-alpha, and its standard error alpha / sqrt(k).
    hill_k : int
        Exceedances from which it is estimated.
    effective_number : float or None
        1 / sum of squared shares (of Herfindahl): how many equal accounts would be as concentrated.
    """

    n_accounts: int
    total: float
    largest: float | None
    top_1: float | None
    top_10: float | None
    top_percent: float | None
    gini: float | None
    hill: float | None
    hill_error: float | None
    hill_k: int
    effective_number: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)

    def __str__(self) -> str:
        if self.largest is None or self.top_10 is None:
            return "nobody holds anything"
        tail = "" if self.hill is None else f", tail index {self.hill:.2f}"
        rest = f"ten largest {percent(self.top_10)} of the notional, Gini {self.gini:.3f}{tail}"
        return f"largest holder {percent(self.largest)} of open interest, {rest}"


@dataclass(frozen=True)
class ConcentrationSpread:
    """The same measures over several populations: mean, and the range of nine tenths of them.

    Parameters
    ----------
    n_populations : int
    mean : Concentration
        Of every measure; None where no population has it.
    low, high : Concentration or None
        5 % and 95 % quantile over populations; None for a single one.
    """

    n_populations: int
    mean: Concentration
    low: Concentration | None
    high: Concentration | None

    def to_dict(self) -> dict[str, Any]:
        """Return ``{measure: {"value", "low", "high"}}``."""
        found: dict[str, Any] = {}
        for field in fields(Concentration):
            ends = (getattr(book, field.name, None) for book in (self.mean, self.low, self.high))
            found[field.name] = dict(zip(("value", "low", "high"), ends, strict=True))
        return found


def concentration(size: np.ndarray, *, open_interest: float | None = None, k: int | None = None) -> Concentration:
    """Measure how concentrated a book is.

    Parameters
    ----------
    size : ndarray, shape (n,)
        What each account holds, quote >= 0; those with nothing do not count.
    open_interest : float, optional
        Of the side that the largest account is on, quote.
    k : int, optional
        Exceedances for the tail index; by default a hundredth of the accounts, 10 to 200 of them.

    Returns
    -------
    Concentration
    """
    size = np.sort(np.asarray(size, dtype=float))[::-1]
    size = size[size > 0.0]
    n, total = size.size, float(size.sum())
    k = min(MOST, max(FEWEST, n // 100)) if k is None else k
    if n == 0:
        return Concentration(0, 0.0, None, None, None, None, None, None, None, k, None)
    index, error = hill(size, k)
    shares = size / total
    return Concentration(
        n_accounts=n,
        total=total,
        largest=float(size[0]) / (open_interest or total),
        top_1=float(shares[0]),
        top_10=float(shares[:10].sum()),
        top_percent=float(shares[: math.ceil(n / 100)].sum()),
        gini=gini(size),
        hill=index,
        hill_error=error,
        hill_k=k,
        effective_number=1.0 / float(shares @ shares),
    )


def gini(size: np.ndarray) -> float:
    """Return Gini's coefficient of the sample, 2 sum(i x_(i)) / (n sum x) - (n + 1)/n; shape (n,) in, n > 0.

    A Pareto law of index a > 1 has 1 / (2 a - 1), a log-normal one 2 Phi(sigma / sqrt 2) - 1.
    """
    size = np.sort(size)
    n = size.size
    return float(2.0 * (np.arange(1, n + 1) @ size) / (n * size.sum()) - (n + 1) / n)


def hill(size: np.ndarray, k: int) -> tuple[float | None, float | None]:
    """Estimate the tail index from the `k` largest values above the next one.

    Parameters
    ----------
    size : ndarray, shape (n,)
        Positive.
    k : int
        Exceedances; the estimate is only as good as the tail is a power law beyond them.

    Returns
    -------
    index, error : float or None
        Hill (1975): one over the mean of log(x / threshold), and index / sqrt(k), its asymptotic standard error; None
        for fewer than k + 1 values, or if the largest are all alike.
    """
    if size.size <= k or k < 1:
        return None, None
    top = np.sort(size)[-(k + 1) :]
    excess = float(np.mean(np.log(top[1:] / top[0])))
    return (1.0 / excess, 1.0 / excess / math.sqrt(k)) if excess > 0.0 else (None, None)


def spread_of(books: Sequence[Concentration]) -> ConcentrationSpread:
    """Return every measure's mean over populations, and between which values nine tenths of them lie."""
    columns = {field.name: [getattr(book, field.name) for book in books] for field in fields(Concentration)}
    known = {name: [x for x in values if x is not None] for name, values in columns.items()}

    def at(reduce: Any) -> Concentration:
        """Return every measure, reduced over the populations."""
        found = {name: float(reduce(values)) if values else None for name, values in known.items()}
        counts = {name: round(found[name] or 0.0) for name in ("n_accounts", "hill_k")}
        return Concentration(**{**found, **counts})  # type: ignore[arg-type]

    if len(books) == 1:
        return ConcentrationSpread(1, books[0], None, None)
    ends = (at(lambda values, p=p: np.quantile(values, p)) for p in (0.05, 0.95))
    return ConcentrationSpread(len(books), at(np.mean), *ends)
