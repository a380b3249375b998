"""Cross accounts with positions in several symbols: what backs them is known when all rows are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stress.agents.base import Venue
from stress.agents.book import REPEATED, rounded
from stress.snapshot.book_file import batches_of, by_symbol, hashed, numbers_in
from stress.snapshot.checks import INCOMPLETE, TWO_WALLETS, UNDERWATER
from stress.snapshot.quality import Check


@dataclass(frozen=True, eq=False)
class Wallets:
    """The cross rows of a book, shape (n,), and how they state what backs them.

    Parameters
    ----------
    place : ndarray of int
        Of each row in the book.
    owner : ndarray of uint64
        Equal numbers for one account.
    stated : ndarray of float
        Collateral on the venue's grid, USD.
    spare : ndarray of float
        Unrealized profit less maintenance margin, USD.
    repeated : bool
        Whether each row states the whole wallet; else an account's rows add up to it.
    n_positions : int
        Rows of the book, isolated ones included.
    """

    place: np.ndarray
    owner: np.ndarray
    stated: np.ndarray
    spare: np.ndarray
    repeated: bool
    n_positions: int

    @classmethod
    def of(cls, path: Path, venues: Mapping[str, Venue], how: str) -> Self:
        """Read a book."""
        found: list[tuple[np.ndarray, ...]] = [tuple(np.zeros(0, kind) for kind in (int, np.uint64, float, float))]
        first = 0
        for table in batches_of(path):
            numbered = table.append_column("place", pa.array(np.arange(first, first + table.num_rows)))
            first += table.num_rows
            cross = numbered.filter(pc.equal(table.column("mode"), "cross"))
            found += [_rows(mine, venues[symbol]) for symbol, mine in by_symbol(cross)]
        place, owner, stated, spare = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return cls(place, owner, stated, spare, how == REPEATED, first)

    @cached_property
    def _accounts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Owners, a row of each, and whose every row is."""
        return np.unique(self.owner, return_index=True, return_inverse=True)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Add up by account, shape (n_accounts,)."""
        owners, _, whose = self._accounts
        return np.bincount(whose, values, owners.size)

    @cached_property
    def differs(self) -> np.ndarray:
        """Which accounts have rows that state different amounts, shape (n_accounts,)."""
        _, first, whose = self._accounts
        return self._sum(self.stated != self.stated[first][whose]) > 0

    @cached_property
    def wallet(self) -> np.ndarray:
        """What backs each account, USD, shape (n_accounts,)."""
        return self.stated[self._accounts[1]] if self.repeated else self._sum(self.stated)

    @property
    def counted_twice(self) -> float:
        """By how much all rows together state more than there is, USD."""
        return float(self.stated.sum() - self.wallet.sum())

    def alike(self) -> tuple[int, int]:
        """Return how many accounts of several rows state one amount above zero in all of them, and how many there are.

        Accounts that state nothing are not counted: their wallet is the same either way.
        """
        several = (self._sum(np.ones(self.owner.size)) > 1) & (self._sum(self.stated) > 0.0)
        return int((several & ~self.differs).sum()), int(several.sum())

    def findings(self, torn: np.ndarray) -> Iterator[tuple[Check, np.ndarray]]:
        """Yield what is wrong with accounts, each under one check, and which rows of the book are theirs.

        Parameters
        ----------
        torn : ndarray of uint64
            Accounts of which a row is left out for an error.
        """
        owners, _, whose = self._accounts
        good = np.ones(owners.size, dtype=bool)
        checks = {
            INCOMPLETE: np.isin(owners, torn),
            TWO_WALLETS: self.differs & self.repeated,
            UNDERWATER: self.wallet + self._sum(self.spare) < 0.0,
        }
        for check, struck in checks.items():
            rows = np.zeros(self.n_positions, dtype=bool)
            rows[self.place[(struck & good)[whose]]] = True
            good &= ~struck
            if rows.any():
                yield check, rows


def _rows(table: pa.Table, venue: Venue) -> tuple[np.ndarray, ...]:
    """Return place, owner, stated and spare of cross rows in one symbol."""
    accounts = rounded(numbers_in(table), venue)
    size = np.abs(accounts["qty"]) * venue.price
    profit = accounts["qty"] * (venue.price - accounts["entry"])
    spare = profit - size * venue.maintenance_rate(size)
    return table.column("place").to_numpy(), hashed(table.column("account")), accounts["collateral"], spare
