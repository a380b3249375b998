"""Does the parameter interval of claims hold the true reserve as often as it says?

    python benchmarks/claims_coverage.py [--write]

Histories of five years of 20 losses a year are drawn from a known law; each is fitted, its laws chosen, and its reserve
given an interval, as `fundstress claims` does.  The truth is the reserve of the known law.  ``--write`` puts the table
into docs/reserve.md.
"""

from collections.abc import Iterator

import numpy as np
from study import ROOT, markdown, publish

from stress.claims import ClaimsModel, LossHistory, bootstrap, fit_history, simulate
from stress.claims.losses import SECONDS
from stress.claims.simulate import claim_times
from stress.summary import quantile_interval
from stress.toml import ScenarioError

PAGE = ROOT / "docs" / "reserve.md"
YEARS, RATE, LEVEL = 5.0, 20.0, 0.995
N_HISTORIES, N_DRAWS, N_TRUTH = 150, 79, 400_000
LAWS = {
    "log-normal, sigma 1": {"kind": "lognormal", "scale_usd": 1e5, "sigma": 1.0},
    "exponential": {"kind": "exponential", "scale_usd": 2e5},
}


def truth_of(law: dict) -> ClaimsModel:
    """Return claims of a law without income, whose reserve is asked for over a year."""
    frequency = {"kind": "poisson", "rate_per_year": RATE}
    run, reserve = {"n_paths": N_TRUTH}, {"levels": [LEVEL]}
    return ClaimsModel.from_tables({"frequency": frequency, "severity": law, "run": run, "reserve": reserve})


def histories(model: ClaimsModel) -> Iterator[LossHistory]:
    """Yield independent histories, each of a whole window."""
    run = model.run.model_copy(update={"horizon_hours": YEARS * 8_760.0, "seed": 1_234_567})
    past = model.model_copy(update={"run": run})
    for index in range(N_HISTORIES):
        _, times, marks = claim_times(past, index, 1)
        seconds = np.unique(np.round(times * SECONDS).astype(np.int64), return_index=True)
        loss = model.amounts(marks)[seconds[1]]
        yield LossHistory(seconds[0] + 1, loss, 0.0, YEARS * SECONDS)


def holds(history: LossHistory, truth: float, seed: int) -> str:
    """Say whether a history's interval holds the truth, lies above or below it, or is refused."""
    try:
        fit = fit_history(history)
        run = {"n_paths": 5_000, "seed": seed}
        fitted = ClaimsModel.from_tables({**fit.model().tables(), "run": run, "reserve": {"levels": [LEVEL]}})
        spread = bootstrap(fit, fitted, n_draws=N_DRAWS)[0].reserve(LEVEL)
    except ScenarioError:
        return "refused"
    if spread is None:
        return "refused"
    return "too high" if spread.low > truth else "too low" if spread.high < truth else "holds"


def rows() -> Iterator[list[str]]:
    """Yield a row a law."""
    for title, law in LAWS.items():
        model = truth_of(law)
        truth = quantile_interval(simulate(model).drawdown, LEVEL).value
        found = [holds(history, truth, seed) for seed, history in enumerate(histories(model))]
        given = len(found) - found.count("refused")
        share = found.count("holds") / given
        error = (share * (1.0 - share) / given) ** 0.5
        counted = (found.count("too high"), found.count("too low"), found.count("refused"))
        yield [title, f"{truth / 1e6:.3g}", f"{100 * share:.1f} +- {100 * error:.1f} %", *map(str, counted)]


HEAD = ("losses", "true reserve, USD m", f"held by nominal 95 %, of {N_HISTORIES}", "too high", "too low", "refused")

if __name__ == "__main__":
    publish(__doc__, lambda: {"claims": markdown(HEAD, rows())}, PAGE)
