"""Rows are kept through crashes and full disks; workers may die; the order does not matter.  No path is run here."""

import errno
import random
import sqlite3
from concurrent.futures import BrokenExecutor, Executor, Future

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stress.scenario import ScenarioError
from stress.screen import points_bar
from stress.sweeps import load_sweep
from stress.sweeps import store as store_module
from stress.sweeps.drive import drive
from stress.sweeps.point import Task
from stress.sweeps.store import CATALOGUE, PARTS, Store, digest_of, read_rows
from stress.sweeps.workers import Gone, Workers

SCHEMA = pa.schema(
    [
        ("point", pa.int64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("x", pa.float64()),
        ("ruin", pa.float64()),
    ]
)
IDENTITY = {"plan_sha256": "a", "code": "b"}


def row(point, status="done", **more):
    return {"point": point, "status": status, "error": "", "x": 0.5 * point, "ruin": 0.1, "seconds": 1.0, **more}


def stored(path, points):
    store = Store.create(path, SCHEMA, IDENTITY)
    for point in points:
        store.put(row(point))
    store.flush()
    return store


def reopened(path, **other):
    return Store.reopen(path, SCHEMA, IDENTITY | other)


def test_rows_come_back_in_the_order_of_the_points_whatever_the_order_they_came_in(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    one, other = stored(tmp_path / "a", range(9)), Store.create(tmp_path / "b", SCHEMA, IDENTITY)
    for point in (8, 2, 5, 0, 1, 3, 4, 7, 6):
        other.put(row(point))
        other.flush()
    assert other.table()["point"].to_pylist() == list(range(9))
    assert one.digest() == other.digest()


def test_a_digest_sees_every_bit(tmp_path):
    table = stored(tmp_path, range(3)).table()
    other = table.set_column(4, "ruin", pa.array([0.1, 0.1, 0.1 + 2**-56]))
    assert digest_of(table) != digest_of(other)


def test_of_a_point_that_was_tried_again_the_last_row_counts(tmp_path):
    store = stored(tmp_path, [0])
    store.put(row(1, "failed", error="no", ruin=None))
    store.flush()
    assert reopened(tmp_path).counts() == {"done": 1, "failed": 1}
    again = reopened(tmp_path)
    assert (again.finished(0), again.finished(1)) == (True, False)
    again.put(row(1))
    again.flush()
    assert again.table()["status"].to_pylist() == ["done", "done"]
    assert reopened(tmp_path).counts() == {"done": 2, "failed": 0}


def test_a_part_that_the_catalogue_does_not_know_is_found(tmp_path):
    stored(tmp_path, range(4))
    with sqlite3.connect(tmp_path / CATALOGUE) as catalogue:
        catalogue.execute("DELETE FROM points")
    assert reopened(tmp_path).counts()["done"] == 4


@pytest.mark.parametrize("damage", ["remove", "garble"])
def test_a_catalogue_is_restored_from_the_parts(tmp_path, damage):
    stored(tmp_path, range(4))
    if damage == "remove":
        (tmp_path / CATALOGUE).unlink()
    else:
        (tmp_path / CATALOGUE).write_bytes(b"no database" * 1000)
    assert reopened(tmp_path).counts()["done"] == 4


def test_points_whose_part_is_gone_are_run_again(tmp_path):
    stored(tmp_path, range(2))
    store = reopened(tmp_path)
    store.put(row(2))
    store.flush()
    (tmp_path / PARTS / "part-000000.parquet").unlink()
    again = reopened(tmp_path)
    assert [again.finished(point) for point in range(3)] == [False, False, True]


def test_a_full_disk_leaves_what_was_written_and_the_rows_wait(tmp_path, monkeypatch):
    store = stored(tmp_path, range(3))
    store.put(row(3))

    def full(table, path, **options):
        path.write_bytes(b"half a part")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(store_module.pq, "write_table", full)
        with pytest.raises(OSError, match="No space left"):
            store.flush()
    assert reopened(tmp_path).table().num_rows == 3
    assert [path.name for path in (tmp_path / PARTS).iterdir()] == ["part-000000.parquet"]
    store.flush()  # there is room again
    assert reopened(tmp_path).counts()["done"] == 4


def test_the_store_of_another_sweep_or_version_is_refused(tmp_path):
    stored(tmp_path, range(2))
    for other, said in (({"plan_sha256": "c"}, "holds another sweep"), ({"code": "c"}, "another version")):
        with pytest.raises(ScenarioError, match=said):
            reopened(tmp_path, **other)
    with pytest.raises(ScenarioError, match="holds no sweep"):
        Store.reopen(tmp_path / PARTS, SCHEMA, IDENTITY)
    with pytest.raises(ScenarioError, match="no such folder"):
        Store.reopen(tmp_path / "none", SCHEMA, IDENTITY)


def test_a_broken_part_is_named(tmp_path):
    stored(tmp_path, range(2))
    (tmp_path / PARTS / "part-000000.parquet").write_bytes(b"PAR1")
    with pytest.raises(ScenarioError, match="a part cannot be read"):
        read_rows(tmp_path)


def test_a_damaged_folder_is_named(tmp_path):
    stored(tmp_path, range(2))
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(ScenarioError, match=r"sweep\.json: cannot be read"):
        load_sweep(tmp_path)


def test_what_a_part_holds_can_be_read_by_anybody(tmp_path):
    stored(tmp_path, range(2))
    assert pq.read_table(tmp_path / PARTS / "part-000000.parquet").column_names == SCHEMA.names


class Fragile(Executor):
    """Finishes tasks in any order; a deadly point breaks it for all that are under way."""

    def __init__(self, deadly, luck, most):
        self.deadly, self.luck, self.most, self.waiting, self.broken = deadly, luck, most, [], False

    def submit(self, function, *task):
        if self.broken:
            raise BrokenExecutor("broken")
        future = Future()
        self.waiting.append((future, task))
        if len(self.waiting) >= self.most or self.luck.random() < 0.3:
            self.work(function)
        return future

    def work(self, function):
        self.luck.shuffle(self.waiting)
        if any(task.point in self.deadly for _, (_, task) in self.waiting):
            self.broken = True
        for future, task in self.waiting:
            if self.broken:
                future.set_exception(BrokenExecutor("a worker died"))
            else:
                future.set_result(function(*task))
        self.waiting = []


def tasks(n):
    return (Task(point, b"", {}, 1, 1) for point in range(n))


def solve(task):
    return row(task.point)


def test_a_point_that_kills_its_worker_fails_alone():
    luck, kept = random.Random(1), {}
    workers = Workers(Fragile({5}, luck, 1), 2, lambda: Fragile({5}, luck, 1))
    drive(solve, tasks(12), workers, lambda found: kept.update({found["point"]: found}))
    assert sorted(kept) == list(range(12))
    assert [p for p in kept if kept[p]["status"] == "failed"] == [5]
    assert kept[5]["error"] == "its worker died 3 times"


def test_an_executor_that_was_handed_in_and_broke_ends_the_sweep_with_what_is_finished():
    kept = []
    with pytest.raises(Gone, match="a worker died"):
        drive(solve, tasks(12), Workers(Fragile({5}, random.Random(1), 1), 2), kept.append)
    assert kept


class Counting(Executor):
    """Runs a task at once, and counts how many were asked for before they were needed."""

    def __init__(self):
        self.taken = 0

    def submit(self, function, *task):
        future = Future()
        future.set_result(function(*task))
        self.taken += 1
        return future


def test_only_a_window_of_tasks_is_handed_out_at_a_time():
    made, most, executor = [], [], Counting()

    def watched():
        for task in tasks(100):
            made.append(task.point)
            yield task

    kept = []

    def keep(found):
        kept.append(found)
        most.append(len(made) - len(kept))

    drive(solve, watched(), Workers(executor, 3), keep)
    assert len(kept) == 100
    assert max(most) <= 6


def test_each_worker_is_told_by_what_it_last_did():
    workers = Workers(None, 2)
    workers.heard("host 1-0001", 3)
    workers.heard("host 1-0001", 7)
    workers.heard("host 2-0001", 4)
    head, first, second = workers.lines()
    assert head == "  2 workers, 2 heard of"
    assert first.startswith("  host 1-0001: 2 points, last 7 after ")
    assert second == "  host 2-0001: 1 points, last 4 after 0 s"
    workers.seen["host 2-0001"].when -= 60.0
    assert list(workers.lines())[2].endswith("silent for 60 s")
    for i in range(20):
        workers.heard(f"host 3-{i:04d}", i)
    assert list(workers.lines())[-1] == "  and 14 more"


def test_a_bar_shows_the_lines_below_it():
    with points_bar(lambda: ["  2 workers"]) as progress:
        progress.total = 5
        progress.add(1)
