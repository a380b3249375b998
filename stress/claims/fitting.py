"""Which laws a history of losses points to, and whether its tail lets a reserve be a number at all."""

import math
from dataclasses import dataclass
from typing import Any

from stress.claims.base import Fitted, Frequency, Severity, fitted
from stress.claims.losses import LossHistory
from stress.claims.model import ClaimsModel
from stress.summary import TailCheck, check_tail
from stress.toml import ScenarioError

__all__ = ["Fit", "fit_history"]


@dataclass(frozen=True, eq=False)
class Fit:
    """Laws fitted by maximum likelihood, the best by AIC first.

    Parameters
    ----------
    history : LossHistory
        What they were fitted to.
    frequencies, severities : tuple of Fitted
        Laws of when and of how large.
    tail : TailCheck
        Of the largest losses, whatever the law.
    limit_usd : float or None
        Largest amount that one claim can cost.
    """

    history: LossHistory
    frequencies: tuple[Fitted, ...]
    severities: tuple[Fitted, ...]
    tail: TailCheck
    limit_usd: float | None = None

    def model(self) -> ClaimsModel:
        """Return the best model."""
        best = self.frequencies[0].part, self.severities[0].part
        return ClaimsModel(frequency=best[0], severity=best[1], limit_usd=self.limit_usd)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        history = self.history
        about = {"n": history.loss.size, "window": history.span, "years": history.years, "sha256": history.sha256}
        laws = {"frequency": self.frequencies, "severity": self.severities}
        rows = {name: [_plain(row) for row in fits] for name, fits in laws.items()}
        return {"history": {**about, "notes": list(history.notes)}, **rows, "tail": self.tail.to_dict()}


def _plain(row: Fitted) -> dict[str, Any]:
    return {**row.part.model_dump(mode="json"), "log_likelihood": row.log_likelihood, "aic": row.aic}


def fit_history(history: LossHistory, *, limit_usd: float | None = None) -> Fit:
    """Fit all laws of frequency and of severity to a history, and choose by the criterion of Akaike (1974).

    Parameters
    ----------
    history : LossHistory
    limit_usd : float, optional
        Largest amount that one claim can cost.

    Returns
    -------
    Fit

    Raises
    ------
    ScenarioError
        When without a limit the largest losses, or the best law, have no mean: no premium and no reserve rest on that.
    """
    tail = check_tail(history.loss)
    found = Fit(
        history, tuple(fitted(Frequency, history.arrivals)), tuple(fitted(Severity, history.loss)), tail, limit_usd
    )
    if limit_usd is not None:
        if history.loss.max() > limit_usd:
            raise ScenarioError(f"--limit {limit_usd:g}: a loss of {history.loss.max():g} is larger")
        return found
    best = found.severities[0].part
    if tail.infinite_mean:
        raise ScenarioError(f"the largest losses have tail index {tail.xi:.2f}, and no mean from 1 on; {_WAY_OUT}")
    if not math.isfinite(best.mean):
        raise ScenarioError(f"the best law of the losses, {best.kind}, has no mean; {_WAY_OUT}")
    return found


_WAY_OUT = "say the most that one loss can cost with --limit"
