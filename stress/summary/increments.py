"""What would the summary say of any other model: net losses by step in, summary out.

The front door for models that are not of this package, and for the known answers of ruin theory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stress.outcomes import COLUMNS, Facts, Outcomes
from stress.summary.summary import Summary, summarize

__all__ = ["from_increments", "outcomes_from_increments"]

_BLOCK = 1 << 16


def from_increments(
    increments: Any,
    *,
    fund_initial: float = 0.0,
    horizon_hours: float = 24.0,
    levels: Sequence[float] = (0.99, 0.995, 0.999),
    confidence: float = 0.95,
    populations: Any = None,
    gross: Any = None,
) -> Summary:
    """Summarize a fund from its net losses by step.

    Parameters
    ----------
    increments, fund_initial, horizon_hours, populations, gross
        As in `outcomes_from_increments`.
    levels, confidence : sequence of float, float
        Levels of the reserve, confidence of the intervals.

    Returns
    -------
    Summary
        `summarize` of those outcomes.

    Raises
    ------
    ValueError
        For losses that are not a table of finite numbers, or arguments outside their range.

    Examples
    --------
    >>> from stress.summary import from_increments
    >>> summary = from_increments([[1.0, -2.0, 4.0], [2.0, 1.0, -1.0]], fund_initial=2.5)
    >>> summary.ruin_probability.value, summary.mean["drawdown"]
    (1.0, 3.0)
    """
    outcomes = outcomes_from_increments(
        increments,
        fund_initial=fund_initial,
        horizon_hours=horizon_hours,
        populations=populations,
        gross=gross,
    )
    return summarize(outcomes, levels=levels, confidence=confidence)


def outcomes_from_increments(
    increments: Any,
    *,
    fund_initial: float = 0.0,
    horizon_hours: float = 24.0,
    populations: Any = None,
    gross: Any = None,
) -> Outcomes:
    """Turn net losses by step into outcomes, for the curve and the figures.

    Parameters
    ----------
    increments : array_like, shape (n_paths, n_steps)
        Net loss of the fund in each step, a gain being negative; quote currency.
    fund_initial : float
        Fund at the start.
    horizon_hours : float
        Length of a path.
    populations : array_like of int, shape (n_paths,), optional
        Which paths belong together; all independent otherwise.
    gross : array_like, shape (n_paths, n_steps), optional
        Loss in each step without credit for income, at least the net loss and at least 0; the positive part
        of the net loss otherwise.

    Returns
    -------
    Outcomes
        ``drawdown`` is ``max(0, running maximum of the cumulative loss)``; gross losses count as
        ``bad_debt``, what the net loss leaves of them as ``surplus``; what increments cannot tell is zero.

    Raises
    ------
    ValueError
        For losses that are not a table of finite numbers, or arguments outside their range.
    """
    net = _table(increments, "increments")
    out = np.maximum(net, 0) if gross is None else _table(gross, "gross")
    _check_gross(net, out)
    _check_range(fund_initial, horizon_hours)
    columns = {name: np.zeros(len(net), dtype) for name, dtype in COLUMNS.items()}
    columns["weight"][:] = 1.0
    columns["population"][:] = _labels(populations, len(net))
    for start in range(0, len(net), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for name, values in _path_columns(net[rows], out[rows], fund_initial).items():
            columns[name][rows] = values
    return Outcomes(columns, _facts(net.shape[1], fund_initial, horizon_hours))


def _path_columns(net: np.ndarray, gross: np.ndarray, fund: float) -> dict[str, np.ndarray]:
    """Follow each path of a block: its deepest fall, when, its end, and what went in and out."""
    loss = np.cumsum(net, axis=1, dtype=float)
    deepest = np.maximum(loss.max(axis=1), 0.0)
    near = loss >= (deepest - 1e-9 * np.maximum(1.0, deepest))[:, np.newaxis]
    bad_debt = gross.sum(axis=1, dtype=float)
    end = fund - loss[:, -1]
    return {
        "drawdown": deepest,
        # Gross losses never fall, so that their deepest point is their sum.
        "drawdown_gross": np.maximum(bad_debt, deepest),
        "drawdown_step": np.where(deepest > 0, near.argmax(axis=1), -1),
        "ruin_step": np.where(deepest > fund, (loss > fund).argmax(axis=1), -1),
        "fund_end": end,
        "fund_cash_end": end,
        "bad_debt": bad_debt,
        "surplus": np.maximum(bad_debt - loss[:, -1], 0.0),
    }


def _table(values: Any, name: str) -> np.ndarray:
    try:
        table = np.asarray(values)
        table = table.astype(float) if table.dtype.kind == "O" else table
    except (TypeError, ValueError):
        raise ValueError(f"{name}: not a table of numbers") from None
    if table.dtype.kind not in "biuf":
        raise ValueError(f"{name}: not a table of numbers")
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name}: needs shape (n_paths, n_steps), both positive, not {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError(f"{name}: holds values that are not finite")
    return table


def _check_gross(net: np.ndarray, gross: np.ndarray) -> None:
    if gross.shape != net.shape:
        raise ValueError(f"gross: shape {gross.shape} differs from that of increments, {net.shape}")
    if not ((gross >= net) & (gross >= 0)).all():
        raise ValueError("gross: a loss without credit for income is at least the net loss and at least 0")


def _check_range(fund_initial: float, horizon_hours: float) -> None:
    if not 0 <= fund_initial < np.inf:
        raise ValueError(f"fund_initial must be finite and not negative, not {fund_initial}")
    if not 0 < horizon_hours < np.inf:
        raise ValueError(f"horizon_hours must be finite and positive, not {horizon_hours}")


def _labels(populations: Any, n_paths: int) -> np.ndarray:
    if populations is None:
        return np.zeros(n_paths, dtype=np.int32)
    given = np.asarray(populations)
    if given.shape != (n_paths,):
        raise ValueError(f"populations: needs shape ({n_paths},), not {given.shape}")
    return np.unique(given, return_inverse=True)[1].astype(np.int32)


def _facts(n_steps: int, fund_initial: float, horizon_hours: float) -> Facts:
    return Facts(
        scenario="increments",
        config_sha256="",
        seed=0,
        engine="increments",
        n_steps=n_steps,
        step_seconds=3600 * horizon_hours / n_steps,
        n_accounts=0,
        horizon_hours=float(horizon_hours),
        fund_initial=float(fund_initial),
        open_interest=0.0,
        conditional_on_book=False,
        one_run_curve_exact=True,
        curve_note="the increments are given, whatever the fund holds",
    )
