"""Does the fund withstand the default of its largest accounts: the "Cover-N" question of clearing houses."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.outcomes import Facts

__all__ = ["CoverRow", "cover_rows"]


@dataclass(frozen=True)
class CoverRow:
    """The fund against the default of the n largest accounts at one price move.

    Parameters
    ----------
    n : int
        How many accounts default together.
    move : float
        Relative price move, -0.3 for a fall of 30 %.
    loss : float
        Loss of the fund, mean over populations, in quote currency.
    low, high : float or None
        5 % and 95 % quantile over populations; None with a single population.
    fund_over_loss : float or None
        Initial fund, its coins at the moved price, divided by the loss; None without a loss.
    """

    n: int
    move: float
    loss: float
    low: float | None
    high: float | None
    fund_over_loss: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


def cover_rows(facts: Facts) -> tuple[CoverRow, ...]:
    """Summarize over populations what the run recorded in ``facts.cover``."""
    return tuple(_row(case["n"], case["move"], case["losses"], _fund_at(facts, case)) for case in facts.cover)


def _fund_at(facts: Facts, case: dict[str, Any]) -> float:
    linear = facts.fund_initial * (1.0 + facts.fund_in_coin * case["move"])  # runs of before contracts had a choice
    return float(case.get("fund", linear))


def _row(n: int, move: float, losses: list[float], fund: float) -> CoverRow:
    loss = float(np.mean(losses))
    low, high = map(float, np.quantile(losses, (0.05, 0.95))) if len(losses) > 1 else (None, None)
    return CoverRow(n, move, loss, low, high, fund / loss if loss else None)
