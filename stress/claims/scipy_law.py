"""Claims of any law of scipy.stats."""

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import stats

from stress.claims.base import Severity


class ScipyLaw(Severity, kind="scipy"):
    """The law `name` of `scipy.stats` with `shapes` in SciPy's order, times `scale_usd`; on the positive numbers."""

    name: str = "burr12"
    shapes: tuple[float, ...] = Field(default=(2.0, 1.5), max_length=6)

    @model_validator(mode="after")
    def _is_a_positive_law(self) -> Self:
        law = getattr(stats, self.name, None)
        if not isinstance(law, stats.rv_continuous):
            raise ValueError(f"name: scipy.stats has no continuous law {self.name!r}")
        if law.numargs != len(self.shapes):
            raise ValueError(f"shapes: {self.name} has {law.shapes or 'none'}, got {len(self.shapes)} numbers")
        low, high = law.support(*self.shapes)
        if not (low >= 0.0 and high > low):
            raise ValueError(f"name: {self.name} with these shapes is not a law of positive numbers")
        return self

    def frozen(self) -> Any:
        """Return the law with its numbers, in quote currency."""
        return getattr(stats, self.name)(*self.shapes, scale=self.scale_usd)

    @classmethod
    def fitted(cls, losses: np.ndarray) -> tuple[Self, float]:
        """Refuse: which of a hundred laws is nobody's question."""
        raise ValueError("a law of this kind is chosen by name, not fitted")
