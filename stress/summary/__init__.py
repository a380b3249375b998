"""What outcomes mean: ruin probability, reserve and expected shortfall, each with its error.

`summarize` turns the outcomes of a run into a `Summary`; `from_increments` does the same for the net losses
of any other model.  The estimators beneath are public: intervals of a probability and of a quantile, with and
without clusters of paths that share a population, the ruin curve, and the check of the tail.
"""

from stress.summary.attached import attached_from_dict, model_risk_from_dict, parameters_from_dict
from stress.summary.attribution import CohortShares, cohort_shares
from stress.summary.backtests import (
    Backtest,
    TrafficLight,
    acerbi_szekely,
    backtest,
    christoffersen,
    fissler_ziegel_loss,
    kupiec,
    kupiec_ratio,
    pinball_loss,
    traffic_light,
)
from stress.summary.closed_forms import (
    BETA,
    bgk_barrier_shift,
    bridge_crossing_probability,
    gap_bad_debt,
    liquidation_probability,
)
from stress.summary.clusters import Clusters
from stress.summary.comparison import Comparison, Difference, Rulebook, compare_outcomes
from stress.summary.concentration import (
    Concentration,
    ConcentrationSpread,
    concentration,
    gini,
    hill,
    spread_of,
)
from stress.summary.cover import CoverRow, cover_rows
from stress.summary.curve import RuinCurve, ruin_curve
from stress.summary.extremes import ExtremeReserve, Extremes, ThresholdFit, estimate_extremes
from stress.summary.growth import Growth, median_year
from stress.summary.hindcasts import Hindcast, Hindcasts, load_hindcasts, shipped_hindcasts
from stress.summary.increments import from_increments, outcomes_from_increments
from stress.summary.intervals import (
    Estimate,
    annual_rate,
    clopper_pearson,
    effective_size,
    estimate_probability,
    wilson,
    within_year,
    zero_event_bound,
)
from stress.summary.model_risk import Driver, ModelRisk, ParameterInterval, Spread, Variant
from stress.summary.pareto import fit_generalized_pareto
from stress.summary.pools import PoolEstimate
from stress.summary.quantile import (
    QuantileInterval,
    coverage,
    order_statistic,
    quantile_interval,
    ranks,
    two_sided_sample_size,
    wilks_sample_size,
)
from stress.summary.regimes import Headline
from stress.summary.reserves import ReserveEstimate, horizon_level
from stress.summary.ruin_theory import (
    brownian_ruin,
    exponential_reserve,
    exponential_ruin,
    lundberg_exponent,
    ruin_bracket,
    ruin_for_ever_bracket,
)
from stress.summary.smooth import harrell_davis, smooth_quantile
from stress.summary.standards import StandardReserve, Standards, mica_own_funds
from stress.summary.stories import Story, tell_stories
from stress.summary.summary import Summary, summarize
from stress.summary.tail import (
    TailCheck,
    TailEstimate,
    check_tail,
    expected_shortfall,
)
from stress.summary.verification import Verification, Verified, shipped_verification
from stress.summary.weighted import WeightedSummary, summarize_weighted
from stress.summary.year import Year

__all__ = [
    "BETA",
    "Backtest",
    "Clusters",
    "CohortShares",
    "Comparison",
    "Concentration",
    "ConcentrationSpread",
    "CoverRow",
    "Difference",
    "Driver",
    "Estimate",
    "ExtremeReserve",
    "Extremes",
    "Growth",
    "Headline",
    "Hindcast",
    "Hindcasts",
    "ModelRisk",
    "ParameterInterval",
    "PoolEstimate",
    "QuantileInterval",
    "ReserveEstimate",
    "RuinCurve",
    "Rulebook",
    "Spread",
    "StandardReserve",
    "Standards",
    "Story",
    "Summary",
    "TailCheck",
    "TailEstimate",
    "ThresholdFit",
    "TrafficLight",
    "Variant",
    "Verification",
    "Verified",
    "WeightedSummary",
    "Year",
    "acerbi_szekely",
    "annual_rate",
    "attached_from_dict",
    "backtest",
    "bgk_barrier_shift",
    "bridge_crossing_probability",
    "brownian_ruin",
    "check_tail",
    "christoffersen",
    "clopper_pearson",
    "cohort_shares",
    "compare_outcomes",
    "concentration",
    "cover_rows",
    "coverage",
    "effective_size",
    "estimate_extremes",
    "estimate_probability",
    "expected_shortfall",
    "exponential_reserve",
    "exponential_ruin",
    "fissler_ziegel_loss",
    "fit_generalized_pareto",
    "from_increments",
    "gap_bad_debt",
    "gini",
    "harrell_davis",
    "hill",
    "horizon_level",
    "kupiec",
    "kupiec_ratio",
    "liquidation_probability",
    "load_hindcasts",
    "lundberg_exponent",
    "median_year",
    "mica_own_funds",
    "model_risk_from_dict",
    "order_statistic",
    "outcomes_from_increments",
    "parameters_from_dict",
    "pinball_loss",
    "quantile_interval",
    "ranks",
    "ruin_bracket",
    "ruin_curve",
    "ruin_for_ever_bracket",
    "shipped_hindcasts",
    "shipped_verification",
    "smooth_quantile",
    "spread_of",
    "summarize",
    "summarize_weighted",
    "tell_stories",
    "traffic_light",
    "two_sided_sample_size",
    "wilks_sample_size",
    "wilson",
    "within_year",
    "zero_event_bound",
]
