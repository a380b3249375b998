"""What ``fundstress dashboard`` does: check what it is given, and serve the pages on this machine."""

import importlib.util
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stress.scenario import Scenario
from stress.sweepdir import is_sweep
from stress.toml import ScenarioError
from stress.viz.settings import CONFIG, RUN

__all__ = ["DashboardOptions", "launch_dashboard"]

HOST = "127.0.0.1"
NEEDED = ("solara", "solara_assets", "ipyvuetify")


@dataclass(frozen=True)
class DashboardOptions:
    """What the user asked for."""

    config: Path | None = None
    run: Path | None = None
    port: int = 8765
    browser: bool = True


def launch_dashboard(options: DashboardOptions) -> int:
    """Serve the dashboard until it is interrupted; return the exit code.

    Raises
    ------
    ScenarioError
        One line: the extra is missing, the scenario or the folder does not exist, the port is taken.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ScenarioError(f"dashboard: {', '.join(missing)} missing: pip install 'fundstress[viz]'")
    environment = os.environ | _given(options)
    _check_port(options.port)
    words = [sys.executable, "-m", "solara", "run", "stress.viz.app", "--host", HOST, "--port", str(options.port)]
    words += ["--production", *(() if options.browser else ("--no-open",))]
    print(f"http://{HOST}:{options.port}  (Ctrl-C ends it)", flush=True)
    return subprocess.run(words, env=environment, check=False).returncode


def _given(options: DashboardOptions) -> dict[str, str]:
    """Return the environment of the server, checked before it starts."""
    given: dict[str, str] = {}
    if options.config is not None:
        scenario = Scenario.load(options.config)
        if scenario.asset:
            raise ScenarioError(f"{options.config}: asset: a venue with several symbols cannot be watched")
        given[CONFIG] = str(options.config.resolve())
    if options.run is not None:
        if not (options.run / "manifest.json").is_file() and not is_sweep(options.run):
            raise ScenarioError(f"{options.run}: holds no finished run (there is no manifest.json) and no sweep")
        given[RUN] = str(options.run.resolve())
    return given


def _check_port(port: int) -> None:
    with socket.socket() as trial:
        try:
            trial.bind((HOST, port))
        except OSError as error:
            raise ScenarioError(f"--port {port}: {error.strerror}; give another with --port") from None
