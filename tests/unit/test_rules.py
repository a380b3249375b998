import importlib
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass

import numba
import numpy as np
import pytest

from stress import rules
from stress.rules import cache_folder, frugal_kernel, inline, kernel, one_of, record, record_dtype, rule

# --- records


@dataclass
class Inner:
    rate: float = 0.25
    count: int = 3


@dataclass
class Outer:
    name: float = 1.5
    on: bool = True
    inner: Inner = None
    table: tuple = (1.0, 2.0, 3.0)


OUTER = Outer(inner=Inner())


def test_a_record_has_the_names_of_the_dataclass():
    assert record_dtype(OUTER).names == ("name", "on", "inner", "table")


def test_nested_names_are_nested_fields():
    assert record(OUTER)[0]["inner"]["rate"] == 0.25


def test_a_record_keeps_every_value():
    row = record(OUTER)[0]
    assert (row["name"], row["on"], row["inner"]["count"], row["table"].tolist()) == (1.5, 1, 3, [1.0, 2.0, 3.0])


def test_a_mapping_makes_the_same_record_as_a_dataclass():
    mapping = {"name": 1.5, "on": True, "inner": {"rate": 0.25, "count": 3}, "table": [1.0, 2.0, 3.0]}
    assert record_dtype(mapping) == record_dtype(OUTER)
    assert record(mapping) == record(OUTER)


def test_whole_numbers_stay_whole():
    dtype = record_dtype({"n": 2**53 + 1, "flag": True, "x": 1.0})
    assert [dtype[name] for name in dtype.names] == [np.int64, np.int64, np.float64]


def test_a_float_travels_without_rounding():
    assert record({"x": 0.1 + 0.2})["x"][0] == 0.1 + 0.2


@pytest.mark.parametrize("value", [3.0, "text", [1.0], Inner])
def test_what_has_no_names_cannot_be_a_record(value):
    with pytest.raises(TypeError, match="cannot make a record of"):
        record(value)


# --- rules


@rule
def tripled(x):
    return 3.0 * x


@inline
def doubled(x):
    return 2.0 * x


def test_a_rule_called_from_python_is_plain_python():
    assert tripled(2) == 6.0
    assert not hasattr(tripled, "signatures")


def test_inlined_arithmetic_called_from_python_is_plain_python():
    assert doubled(2) == 4.0


# --- kernels: one loop that calls two rules and reads a nested record


def total(numbers, values):
    out = 0.0
    for i in range(values.size):
        out += tripled(values[i]) + doubled(numbers.inner.rate)
    return out


@pytest.fixture(scope="module")
def compiled():
    return kernel(total)


def test_a_kernel_reads_the_same_attributes_as_python(compiled):
    numbers, values = record(OUTER), np.arange(5.0)
    assert compiled(numbers[0], values) == total(OUTER, values)


def test_a_frugal_kernel_equals_a_kernel(compiled):
    numbers, values = record(OUTER)[0], np.linspace(-1.0, 1.0, 101)
    assert frugal_kernel(total)(numbers, values) == compiled(numbers, values)


def test_a_kernel_divides_by_zero_as_ieee_says():
    @kernel
    def ratio(a, b):
        return a / b

    assert ratio(1.0, 0.0) == np.inf


def test_decorating_a_kernel_leaves_numbas_own_cache_folder_as_it_was():
    before = numba.config.CACHE_DIR
    kernel(lambda x: x)
    assert before == numba.config.CACHE_DIR


def test_kernels_decorated_in_two_threads_leave_the_cache_folder_as_it_was():
    before = numba.config.CACHE_DIR
    inside, leave = threading.Event(), threading.Event()

    def other():
        with rules._our_cache(cache_folder()):
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    try:
        with rules._our_cache(cache_folder()):
            thread.start()
            inside.wait(0.2)  # a lock keeps the other thread out until we are done
        leave.set()
        thread.join()
        assert before == numba.config.CACHE_DIR
    finally:
        numba.config.CACHE_DIR = before


# --- the cache folder


@pytest.fixture
def copied_package(tmp_path, monkeypatch):
    """A copy of two sources in place of the package."""
    package = tmp_path / "stress"
    (package / "engines").mkdir(parents=True)
    for name in ("rules.py", "engines/loop.py"):
        shutil.copy(rules.PACKAGE / name, package / name)
    monkeypatch.setattr(rules, "PACKAGE", package)
    return package


fresh_folder = cache_folder.__wrapped__  # the folder is looked up once a process


def test_an_edit_anywhere_in_the_package_changes_the_cache_folder(copied_package):
    before = fresh_folder()
    with (copied_package / "engines" / "loop.py").open("a") as source:
        source.write("# edited\n")
    assert fresh_folder() != before


def test_a_new_module_changes_the_cache_folder(copied_package):
    before = fresh_folder()
    (copied_package / "new.py").touch()
    assert fresh_folder() != before


def test_a_renamed_module_changes_the_cache_folder(copied_package):
    before = fresh_folder()
    (copied_package / "rules.py").rename(copied_package / "laws.py")
    assert fresh_folder() != before


def test_another_numba_has_another_cache_folder(copied_package, monkeypatch):
    before = fresh_folder()
    monkeypatch.setattr(numba, "__version__", "0.0.1")
    assert fresh_folder() != before


def test_the_same_sources_have_the_same_cache_folder(copied_package):
    assert fresh_folder() == fresh_folder()


def test_the_cache_is_below_numba_cache_dir_if_the_user_set_it(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert fresh_folder().parent == tmp_path / "fundstress"


@pytest.fixture
def no_cache(monkeypatch, tmp_path):
    """A cache folder that cannot be made: its parent is a file (root may write to read-only folders)."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(rules, "cache_folder", lambda: tmp_path / "file" / "cache")


@pytest.fixture
def shelf(tmp_path):
    """Folders of older sources: unused for 31 days and for 29; a file and a folder that are not ours."""
    for name, days in (("0" * 16, 31), ("1" * 16, 29), ("somebody-elses", 31)):
        (tmp_path / name / "kernel").mkdir(parents=True)
        (tmp_path / name / "kernel" / "file.nbc").write_text("compiled")
        os.utime(tmp_path / name, (time.time() - days * 86_400,) * 2)
    (tmp_path / ("2" * 16)).write_text("a file")
    os.utime(tmp_path / ("2" * 16), (0, 0))
    return tmp_path


def test_a_new_cache_folder_removes_those_that_were_not_used_for_a_month(shelf):
    assert rules._is_writable(shelf / ("a" * 16))
    assert sorted(os.listdir(shelf)) == ["1" * 16, "2" * 16, "a" * 16, "somebody-elses"]


def test_a_cache_folder_that_exists_removes_nothing_and_is_marked_as_used(shelf):
    assert rules._is_writable(shelf / ("0" * 16))
    assert len(os.listdir(shelf)) == 4
    assert time.time() - (shelf / ("0" * 16)).stat().st_mtime < 3_600


def test_a_cache_that_cannot_be_pruned_is_used_all_the_same(shelf, monkeypatch):
    monkeypatch.setattr(rules.shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(OSError("busy")))
    assert rules._is_writable(shelf / ("b" * 16))


def test_a_kernel_works_where_nothing_can_be_cached(no_cache):
    assert kernel(lambda x: x + 1.0)(1.0) == 2.0


def test_a_kernel_that_cannot_be_cached_in_our_folder_is_cached_nowhere(no_cache):
    # numba would fall back to __pycache__, whose key does not see an edit in another module.
    assert kernel(total).stats.cache_path is None


def composed(first, second):
    def inner(x):
        return first(x) + second(x)

    def outer(x):
        return inner(x)

    return outer


def one(x):
    return x


def two(x):
    return 2 * x


def test_kernels_of_different_rules_never_share_a_folder():
    homes = {rules._home_of(composed(*parts)) for parts in [(one, two), (two, one), (one, one)]}
    assert len(homes) == 3


def test_the_same_rules_share_their_kernel():
    assert rules._home_of(composed(one, two)) == rules._home_of(composed(one, two))


def test_a_choice_that_is_no_function_counts_too():
    def with_flag(flag):
        return lambda x: x if flag else -x

    assert rules._home_of(with_flag(True)) != rules._home_of(with_flag(False))


# --- choices by number


@rule
def plus(x, y):
    return x + y


@rule
def minus(x, y):
    return x - y


@rule
def times(x, y):
    return x * y


@pytest.mark.parametrize(("code", "expected"), [(0, 7.0), (1, 3.0), (2, 10.0), (9, 10.0)])
def test_a_choice_by_number_is_the_same_in_python_and_compiled(code, expected):
    choice = one_of([plus, minus, times])

    @kernel
    def compiled(code, x, y):
        return choice(code, x, y)

    assert choice(code, 5.0, 2.0) == compiled(code, 5.0, 2.0) == expected


# --- rules from outside the package

HELPER = """from stress.rules import rule
@rule
def half(x):
    return {factor} * x
"""
USER = """from helper_rules import half
from stress.rules import rule
@rule
def law(x):
    return half(x) + {extra}
"""


@pytest.fixture
def user_rule(tmp_path, monkeypatch):
    """Import a rule from a module of a user's, which calls one of another module."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(factor=0.5, extra=1.0):
        (tmp_path / "helper_rules.py").write_text(HELPER.format(factor=factor))
        (tmp_path / "user_rules.py").write_text(USER.format(extra=extra))
        for name in ("helper_rules", "user_rules"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "dont_write_bytecode", True)
            return importlib.import_module("user_rules").law

    return load


def test_a_rule_of_the_package_needs_no_digest():
    assert rules.composition(rules.inline) == ["stress.rules.inline"]


@pytest.mark.parametrize("edit", [{"extra": 2.0}, {"factor": 0.25}], ids=["its own file", "the file of what it calls"])
def test_a_user_who_edits_a_rule_gets_another_folder_of_kernels(user_rule, edit):
    before = rules.composition(user_rule())
    assert rules.composition(user_rule()) == before
    assert rules.composition(user_rule(**edit)) != before


def test_a_rule_that_is_typed_into_a_session_has_no_file():
    names = {"__name__": "__main__", "rule": rule}
    exec("@rule\ndef law(x):\n    return x\n", names)
    names["law"].__module__ = "no_such_module"
    assert rules.composition(names["law"]) == ["no_such_module.law"]
