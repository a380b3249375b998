"""What the numbers look like: one function per figure, `(data, ax=None) -> Axes`.

Figures are made without pyplot, so nothing is shown and nothing needs closing; `save` writes them.
"""

from stress.plots.anatomy import anatomy
from stress.plots.attribution import attribution
from stress.plots.barriers import barrier_hits
from stress.plots.book import liquidation_map
from stress.plots.compare import compared_reserves, who_pays
from stress.plots.crowd import leverage_by_cohort, size_survival
from stress.plots.fan import fund_fan
from stress.plots.horizon import reserve_by_horizon
from stress.plots.leverage import reserve_by_leverage
from stress.plots.likeness import memory_of_moves, return_quantiles
from stress.plots.losses import loss_histogram
from stress.plots.parameters import parameter_interval
from stress.plots.payers import who_paid
from stress.plots.ruin import ruin_curve
from stress.plots.save import description, save
from stress.plots.sweep import parallel_points, reserve_over, ruin_map, sweep_figures, tornado
from stress.plots.tail import mean_excess, tail_fit
from stress.plots.timeline import timeline
from stress.plots.variants import model_risk

__all__ = [
    "anatomy",
    "attribution",
    "barrier_hits",
    "compared_reserves",
    "description",
    "fund_fan",
    "leverage_by_cohort",
    "liquidation_map",
    "loss_histogram",
    "mean_excess",
    "memory_of_moves",
    "model_risk",
    "parallel_points",
    "parameter_interval",
    "reserve_by_horizon",
    "reserve_by_leverage",
    "reserve_over",
    "return_quantiles",
    "ruin_curve",
    "ruin_map",
    "save",
    "size_survival",
    "sweep_figures",
    "tail_fit",
    "timeline",
    "tornado",
    "who_paid",
    "who_pays",
]
