"""Many scenarios: axes and designs, the points of a plan, whoever computes them, and where the answers stay.

A point is one scenario.  All points meet the same random numbers unless the plan says otherwise, so that they
differ by what was varied.  Rows come out in the order of the points, the same for every executor.
"""

from stress.sweeps.effects import Sensitivity, sensitivity
from stress.sweeps.plan import Plan
from stress.sweeps.result import Sweep, load_sweep
from stress.sweeps.study import sweep
from stress.sweeps.surrogates import Surrogate, surrogate

__all__ = ["Plan", "Sensitivity", "Surrogate", "Sweep", "load_sweep", "sensitivity", "surrogate", "sweep"]
