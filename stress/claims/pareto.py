"""Claims with a power law's tail."""

from typing import Self

import numpy as np
from pydantic import Field
from scipy import stats

from stress.claims.base import Severity
from stress.summary import fit_generalized_pareto


class Pareto(Severity, kind="pareto"):
    """P(claim > x) = (1 + x / `scale_usd`)^-`tail_index`: no mean at index 1 and below (Lomax 1954)."""

    tail_index: float = Field(default=3.0, gt=0, le=100)
    law = stats.lomax

    @classmethod
    def fitted(cls, losses: np.ndarray) -> tuple[Self, float]:
        """Return the generalized Pareto law above zero; a ValueError for a tail lighter than the law's range."""
        xi, scale = fit_generalized_pareto(losses)
        if xi <= 0.0:
            raise ValueError("the tail is no heavier than an exponential one")
        found = cls(tail_index=1.0 / xi, scale_usd=scale / xi)
        return found, float(found.frozen().logpdf(losses).sum())
