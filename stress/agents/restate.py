"""The same accounts under another contract: size and entry in USD and leverage stay, the money is the other's."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Restatement:
    """From the coordinates and the money of one contract into those of another, at today's price.

    Parameters
    ----------
    own, other : exchange.contract.Contract
    price_usd : float
        Today's price, USD.
    """

    own: Any
    other: Any
    price_usd: float

    @property
    def rate(self) -> float:
        """Units of the other contract's money for one of our own."""
        return self.own.money_usd(self.price_usd) / self.other.money_usd(self.price_usd)

    def named(self, name: str, amount: float) -> dict[str, float | None]:
        """Return the two keys of an amount, given in the other contract's money: the one that fits, and the absent."""
        wanted, absent = ("coin", "usd") if self.other.in_coin else ("usd", "coin")
        return {f"{name}_{wanted}": amount, f"{name}_{absent}": None}

    def accounts(self, accounts: np.ndarray) -> np.ndarray:
        """Return accounts of the same size and entry, USD, and of the same leverage; not on any grid.

        Leverage is that at entry of isolated margin, and that of now of a cross account: a contract of another kind
        has another profit since entry, so that one of the two must change.

        Parameters
        ----------
        accounts : structured array of `stress.accounts.ACCOUNT`, shape (n,)
            In the coordinates of our own contract; no position is zero.

        Returns
        -------
        structured array, shape (n,)
            In the coordinates of the other one.
        """
        found, price = accounts.copy(), self.other.price(self.price_usd)
        value = np.abs(accounts["qty"]) * self.own.price(self.price_usd)
        found["qty"] = np.sign(accounts["qty"]) * self.own.side * self.other.side * value * self.rate / price
        found["entry"] = self.other.price(self.own.usd_price(accounts["entry"]))
        found["collateral"] = np.where(
            accounts["cross"] == 1, self._wallets(accounts, found), _margins(accounts, found)
        )
        return found

    def _wallets(self, accounts: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Return the collateral that keeps equity over notional of now."""
        before, price = self.own.price(self.price_usd), self.other.price(self.price_usd)
        equity = accounts["collateral"] + accounts["qty"] * (before - accounts["entry"])
        share = equity / (np.abs(accounts["qty"]) * before)
        return share * np.abs(found["qty"]) * price - found["qty"] * (price - found["entry"])


def _margins(accounts: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the collateral that keeps margin over the value at entry."""
    share = accounts["collateral"] / (np.abs(accounts["qty"]) * accounts["entry"])
    return share * np.abs(found["qty"]) * found["entry"]
