"""Claims of gamma size."""

from pydantic import Field
from scipy import stats

from stress.claims.base import Severity


class Gamma(Severity, kind="gamma"):
    """The mean is `shape` x `scale_usd`."""

    shape: float = Field(default=1.0, gt=0, le=1e4)
    law = stats.gamma
