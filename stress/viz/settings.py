"""What the dashboard is started with: two names in the environment of the server's process."""

import os
from typing import Any

from stress.scenario import Scenario

__all__ = ["CONFIG", "RUN", "start"]

CONFIG, RUN = "FUNDSTRESS_DASHBOARD_CONFIG", "FUNDSTRESS_DASHBOARD_RUN"


def start(name: str) -> Any:
    """Return the scenario that the environment names; None, the small venue, where it names none."""
    path = os.environ.get(name)
    return Scenario.load(path) if path else None
