"""Claims of log-normal size."""

from pydantic import Field
from scipy import stats

from stress.claims.base import Severity


class Lognormal(Severity, kind="lognormal"):
    """`scale_usd` is the median, `sigma` the standard deviation of the logarithm."""

    sigma: float = Field(default=1.0, gt=0, le=10)
    law = stats.lognorm
