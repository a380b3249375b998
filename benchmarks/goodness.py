"""How large is Anderson and Darling's statistic when the generalized Pareto law is true and both numbers are fitted?

    python benchmarks/goodness.py

20,000 samples of 1,000 exceedances for each tail index; the statistic is that of `stress.summary.pareto`, whose table
of upper points this prints (Choulakian & Stephens 2001 give the same law in print).
"""

import numpy as np

from stress.summary.pareto import GOODNESS_P, GOODNESS_XI, anderson_darling, fit_generalized_pareto

N_SAMPLES, SIZE = 20_000, 1_000


def points(xi: float) -> np.ndarray:
    """Return the upper points of the statistic at a tail index, by level of significance."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(N_SAMPLES):
        excess = np.expm1(xi * rng.standard_exponential(SIZE)) / xi if xi else rng.standard_exponential(SIZE)
        found.append(anderson_darling(excess, *fit_generalized_pareto(excess)))
    return np.quantile(found, 1.0 - np.array(GOODNESS_P))


if __name__ == "__main__":
    for xi in GOODNESS_XI:
        print(f"{xi:+.2f}", ", ".join(f"{point:.3f}" for point in points(xi)), flush=True)
