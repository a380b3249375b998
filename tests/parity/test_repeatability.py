"""Results do not depend on threads, task size, block size or the number of paths; a path re-runs alone."""

from pathlib import Path

import numpy as np
import pytest

import stress
from stress.engines.base import Job, Progress
from stress.outcomes import COLUMNS

CONFIGS = Path(__file__).parents[2] / "configs"
N_PATHS, EVERY = 60, 20


def scenario(config="tiny", **overrides):
    size = {"run.n_paths": N_PATHS, "run.redraw_every": EVERY}
    return stress.Scenario.load(CONFIGS / f"{config}.toml", overrides=size | overrides)


def digest(engine, threads=1):
    return stress.run(scenario(), engine=engine, threads=threads).digest()


@pytest.fixture(scope="module", params=["loop", "ladder"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def expected(engine):
    return digest(engine)


def test_two_threads_give_the_digest_of_one(engine, expected):
    assert digest(engine, threads=2) == expected


def test_two_threads_give_the_ledger_of_one(engine):
    ledgers = []
    for threads in (1, 2):
        job = Job(scenario(**{"run.engine": engine}), ledger=True)
        job.run(threads, Progress())
        ledgers.append(job.results.liquidations())
    np.testing.assert_array_equal(*ledgers)


@pytest.mark.parametrize("size", [1, 7, 13])
def test_the_size_of_a_task_does_not_change_the_digest(engine, expected, size, monkeypatch):
    monkeypatch.setattr("stress.engines.base.TASK", size)
    assert digest(engine, threads=2) == expected


@pytest.mark.parametrize("size", [1, 3, 17])
def test_the_size_of_a_block_does_not_change_the_digest(engine, expected, size, monkeypatch):
    monkeypatch.setattr("stress.engines.compiled.MAX_BLOCK", size)
    assert digest(engine) == expected


def test_the_digest_tells_another_seed(engine, expected):
    assert stress.run(scenario(), rng=99, engine=engine).digest() != expected


@pytest.fixture(scope="module", params=["tiny", "textbook_waterfall"])
def config(request):
    return request.param


@pytest.mark.parametrize("name", ["reference", "loop", "ladder"])
def test_a_path_that_is_run_alone_equals_its_row_bit_for_bit(config, name):
    whole = Job(scenario(config, **{"run.engine": name, "run.n_paths": EVERY}))
    whole.run(1, Progress())
    alone = Job(whole.scenario)
    for path in (0, 3, 11, EVERY - 1):
        alone.results.put(path, 1, alone.engine.run(alone.population(0), 0, path, 1))
        for column in COLUMNS:
            assert alone.results.columns[column][path] == whole.results.columns[column][path], (path, column)


def test_a_path_of_a_later_population_is_run_alone_too():
    whole, alone = Job(scenario()), Job(scenario())
    whole.run(1, Progress())
    path = 2 * EVERY + 5
    alone.results.put(path, 1, alone.engine.run(alone.population(2), 2, path, 1))
    for column in COLUMNS:
        assert alone.results.columns[column][path] == whole.results.columns[column][path], column


def test_a_path_does_not_depend_on_the_number_of_paths():
    few, many = (stress.run(scenario(), n_paths=n) for n in (25, N_PATHS))
    for column in COLUMNS:
        np.testing.assert_array_equal(few.columns[column], many.columns[column][:25], err_msg=column)


def test_the_same_call_gives_the_same_digest_twice():
    assert digest("ladder") == digest("ladder")
