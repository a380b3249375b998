"""A fund seen from the top: claims, premium income and noise, for those who know their losses and not their accounts.

One file a law of when claims come (`Frequency`) and one a law of how large they are (`Severity`).
"""

from stress.claims.base import Arrivals, Frequency, Severity
from stress.claims.bootstrap import bootstrap
from stress.claims.conditional import ConditionalReserve, ConditionalRuin
from stress.claims.fitting import Fit, fit_history
from stress.claims.losses import LossHistory, read_losses
from stress.claims.model import ClaimsModel
from stress.claims.simulate import simulate
from stress.registry import import_siblings

import_siblings(__name__, __file__)

__all__ = [
    "Arrivals",
    "ClaimsModel",
    "ConditionalReserve",
    "ConditionalRuin",
    "Fit",
    "Frequency",
    "LossHistory",
    "Severity",
    "bootstrap",
    "fit_history",
    "read_losses",
    "simulate",
]
