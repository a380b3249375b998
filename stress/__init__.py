"""fundstress: how likely is the ruin of an exchange's insurance fund, and how large must the reserve be.

A *scenario* draws a *population* and *shocks*; an *engine* moves every account through the exchange's
*rules*; what happened to the fund is the *outcome*; the *summary* turns outcomes into a ruin probability and
a reserve, each with its error.  Public names load on first use, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stress import plots, summary
    from stress.agents.base import Cohort, build_accounts
    from stress.agents.trader import Trader
    from stress.draws import Uncertainty, uncertainty
    from stress.engines import run
    from stress.engines.mesa_model import InsuranceFundModel
    from stress.engines.reference import AccountAgent
    from stress.outcomes import Outcomes
    from stress.scenario import Scenario
    from stress.summary import ModelRisk, ParameterInterval, Summary, summarize
    from stress.sweeps import Sweep, load_sweep, sensitivity, surrogate, sweep
    from stress.variants import model_risk

__version__ = "0.1.0"

_HOME = {
    "AccountAgent": "stress.engines.reference",
    "Cohort": "stress.agents.base",
    "InsuranceFundModel": "stress.engines.mesa_model",
    "ModelRisk": "stress.summary",
    "Outcomes": "stress.outcomes",
    "ParameterInterval": "stress.summary",
    "Scenario": "stress.scenario",
    "Summary": "stress.summary",
    "Sweep": "stress.sweeps",
    "Trader": "stress.agents.trader",
    "Uncertainty": "stress.draws",
    "build_accounts": "stress.agents.base",
    "load_sweep": "stress.sweeps",
    "model_risk": "stress.variants",
    "run": "stress.engines",
    "sensitivity": "stress.sweeps",
    "summarize": "stress.summary",
    "surrogate": "stress.sweeps",
    "sweep": "stress.sweeps",
    "uncertainty": "stress.draws",
}
_MODULES = ("plots", "summary")

__all__ = [
    "AccountAgent",
    "Cohort",
    "InsuranceFundModel",
    "ModelRisk",
    "Outcomes",
    "ParameterInterval",
    "Scenario",
    "Summary",
    "Sweep",
    "Trader",
    "Uncertainty",
    "build_accounts",
    "load_sweep",
    "model_risk",
    "plots",
    "run",
    "sensitivity",
    "summarize",
    "summary",
    "surrogate",
    "sweep",
    "uncertainty",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"stress.{name}")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'stress' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
