"""Claims of Weibull size: below shape 1 a tail between the exponential's and a power law's."""

from pydantic import Field
from scipy import stats

from stress.claims.base import Severity


class Weibull(Severity, kind="weibull"):
    """P(claim > x) = exp(-(x / `scale_usd`)^`shape`)."""

    shape: float = Field(default=1.0, ge=0.05, le=1e3)
    law = stats.weibull_min
