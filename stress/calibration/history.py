"""Fit of the block bootstrap: how long blocks have to be."""

import warnings

from stress.calibration.fit import Fit, fits
from stress.candles import Candles


@fits("bootstrap")
def fit_bootstrap(candles: Candles) -> Fit:
    """Choose the mean block such that squared returns keep their memory (Politis and White 2004, as `arch` has it)."""
    from arch.bootstrap import optimal_block_length

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optimal_block_length(candles.returns**2)
    bars = float(min(max(1.0, found["stationary"].iloc[0]), 10_000.0))
    return Fit("bootstrap", {"kind": "bootstrap", "block_bars": round(bars, 1)}, n_parameters=1)
