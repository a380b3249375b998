"""Student-t noise as normals of random scale: z sqrt((nu - 2) / chi2_nu) has unit variance.

The scale belongs to a bar and the normals to its steps, so a bar's return is Student-t at every step, and inside the
bar the price is Brownian.
"""

import numpy as np

from stress.rules import rule

OCTAVES, CELLS = 48, 64  # of the table: each halving of a tail probability has 64 cells
COLUMNS = OCTAVES * (CELLS + 1)
NORMAL = 200.0  # degrees of freedom from which noise is normal


@rule
def look_up(table, u):
    """Return the table's value at probability `u`: octaves of the nearer tail, linear inside a cell."""
    row = 0 if u < 0.5 else 1
    tail = min(u, 1.0 - u)
    octave, base = 0, 0.25
    while tail < base and octave < OCTAVES - 1:
        octave += 1
        base *= 0.5
    x = (tail / base - 1.0) * CELLS if tail >= base else 0.0
    cell = min(int(x), CELLS - 1)
    at = octave * (CELLS + 1) + cell
    return table[row, at] + (x - cell) * (table[row, at + 1] - table[row, at])


def scale_table(nu: float, cap: float) -> np.ndarray:
    """Return sqrt((nu - 2) / chi2_nu) by probability: the scale that turns a normal into a unit Student-t.

    It is capped at `cap` and raised below the cap such that its mean square stays one.  Row 0 holds the lower half
    of probabilities, row 1 the upper half; shape (2, COLUMNS).  From `NORMAL` degrees of freedom on it is one.
    """
    from scipy.special import chdtri, gammaincinv  # scipy.stats would cost a second

    if nu >= NORMAL:
        return np.ones((2, COLUMNS))
    base = 2.0 ** -(2.0 + np.arange(OCTAVES))
    tail = (base[:, None] * (1.0 + np.arange(CELLS + 1) / CELLS)).ravel()
    squares = np.stack([2.0 * gammaincinv(nu / 2.0, tail), chdtri(nu, tail)])  # chi2 quantiles
    return np.minimum(raise_below(nu, cap) * np.sqrt((nu - 2.0) / squares), cap)


def raise_below(nu: float, cap: float) -> float:
    """Return g such that E min(g s, cap)^2 = 1 for the scale s of a unit Student-t with `nu` degrees of freedom.

    With c = (nu - 2) g^2 / cap^2, E min(g s, cap)^2 = g^2 P(chi2_{nu-2} > c) + cap^2 P(chi2_nu < c).
    """
    from scipy.optimize import brentq
    from scipy.special import chdtr, chdtrc

    def excess(g: float) -> float:
        """Return how far the mean square is above one."""
        edge = (nu - 2.0) * g * g / (cap * cap)
        return g * g * chdtrc(nu - 2.0, edge) + cap * cap * chdtr(nu, edge) - 1.0

    return brentq(excess, 0.5, 1e4)
