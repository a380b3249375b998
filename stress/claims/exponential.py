"""Claims of exponential size, the case that ruin theory solves."""

from scipy import stats

from stress.claims.base import Severity


class Exponential(Severity, kind="exponential"):
    """`scale_usd` is the mean."""

    law = stats.expon
