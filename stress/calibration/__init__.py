"""Price models fitted to candles, and how often they hit the barriers that matter against history."""

from stress.registry import import_siblings

import_siblings(__name__, __file__)

from stress.calibration.comparison import Comparison, compare  # noqa: E402  (after the fitters are known)
from stress.calibration.fit import FITTERS, Fit  # noqa: E402

__all__ = ["FITTERS", "Comparison", "Fit", "compare"]
