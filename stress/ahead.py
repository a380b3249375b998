"""Compile the account loop in a process of its own, while the run compiles the ladder: ``python -m stress.ahead``.

numba compiles one kernel at a time in a process.  The first run of a version has two large ones to compile, and
usually a second core.  The kernel reaches the run through the cache folder; if anything goes wrong, the run
compiles it itself.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from stress.engines.base import LONG_RUN, Job
from stress.rules import cache_folder
from stress.scenario import Scenario

__all__ = ["compile_loop", "compiling_ahead", "is_first_run"]


def is_first_run() -> bool:
    """Say whether this version of the package has compiled nothing yet."""
    return not any(cache_folder().rglob("*.nbi"))  # numba's index of a compiled kernel


@contextmanager
def compiling_ahead(scenario: Scenario) -> Iterator[Callable[[], Any] | None]:
    """Yield what waits for the process that compiles ahead, None where it would not pay; it ends with the block."""
    if scenario.run.n_paths < LONG_RUN or not is_first_run():
        yield None
        return
    command = [sys.executable, "-m", "stress.ahead"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as helper:
        try:
            with suppress(BrokenPipeError):  # it has died; the run compiles by itself
                _tell(helper, json.dumps(scenario.tables()))
            yield helper.wait
        finally:
            helper.kill()


def _tell(helper: subprocess.Popen[str], text: str) -> None:
    if helper.stdin is not None:
        with helper.stdin:
            helper.stdin.write(text)


def compile_loop(tables: IO[str]) -> None:
    """Compile what ruined paths of the scenario need; `tables` is its JSON."""
    job = Job(Scenario.from_tables(json.load(tables)))
    job.engine.prepare(job.population(0))


if __name__ == "__main__":
    compile_loop(sys.stdin)
