"""How Python becomes compiled: rules, records and kernels.

A *rule* is a small pure function under :func:`rule`.  Called from Python it is plain Python; called inside a
kernel it is compiled.  Parameters travel into kernels as one nested NumPy *record* whose field names are those
of the Python object, so that a rule reads the same attributes in both worlds.
"""

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

__all__ = ["borrowed", "cache_folder", "frugal_kernel", "inline", "kernel", "one_of", "record", "record_dtype", "rule"]

rule = register_jitable
PACKAGE = Path(__file__).parent
FOLDER = re.compile(r"[0-9a-f]{16}")
UNUSED_SECONDS = 30 * 86_400.0


@cache
def cache_folder() -> Path:
    """Folder of compiled kernels, keyed by everything that a kernel may depend on.

    numba's own key sees neither an edit in another module nor a composed rule, and a stale kernel in a risk
    tool is silent and wrong.  So the folder's name is a hash of all sources and of numba's version; when a new one
    is made, those that nobody used for 30 days are removed.

    Returns
    -------
    pathlib.Path
        ``$NUMBA_CACHE_DIR`` or the user's cache folder, then ``fundstress/<hash>``.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(PACKAGE.rglob("*.py")):
        digest.update(source.relative_to(PACKAGE).as_posix().encode())
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    root = Path(os.environ.get("NUMBA_CACHE_DIR") or home)
    return root / "fundstress" / digest.hexdigest()[:16]


def inline(function: Callable) -> Callable:
    """Mark arithmetic that must melt into the calling loop, so that LLVM can vectorise the loop."""
    return register_jitable(forceinline=True, error_model="numpy")(function)


def _borrow(context, arrays):
    """Return an array, or a tuple of them however nested, whose reference counts nobody keeps.

    A call passes every array of its arguments, and counts each up and down: atomically, which costs more than the
    arithmetic of a step and makes threads wait for each other.  A kernel's arguments outlive it, so that it need
    not count them.
    """

    def generate(context, builder, signature, args):
        """Build the copy that owns nothing."""
        return _without_owner(context, builder, signature.args[0], args[0])

    return arrays(arrays), generate


borrowed: Any = intrinsic(_borrow)


def _without_owner(context, builder, kind, value):
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()
    parts: Any = kind if isinstance(kind, types.BaseTuple) else ()
    for i, part in enumerate(parts):
        member = _without_owner(context, builder, part, builder.extract_value(value, i))
        value = builder.insert_value(value, member, i)
    return value


def one_of(rules: Sequence[Callable]) -> Callable:
    """Return the rule ``(code, *args)`` that applies rule number `code`; the last one answers for all beyond.

    What a venue chooses is then a number, and another choice does not compile another kernel.  All rules take
    the same arguments and return the same types.
    """
    chosen = _only(rules[-1])
    for code in reversed(range(len(rules) - 1)):
        chosen = _or_else(code, rules[code], chosen)
    return chosen


def _only(last):
    @rule
    def apply(code, *args):
        """Apply the last rule, whatever the code."""
        return last(*args)

    return apply


def _or_else(number, first, rest):
    @rule
    def apply(code, *args):
        """Apply rule `number` if it is meant, else one of the rest."""
        if code == number:
            return first(*args)
        return rest(code, *args)

    return apply


_one_at_a_time = Lock()


def _digests_of_others(function: Callable, seen: set[Any]) -> set[str]:
    """Return a hash of every file outside the package in which a rule, or a rule that it calls by name, is written.

    The cache folder knows our sources only.  What is typed into a session has no file; numba compares it itself.
    """
    place = Path(getattr(sys.modules.get(function.__module__), "__file__", None) or PACKAGE)
    if function in seen or place.is_relative_to(PACKAGE):
        return set()
    seen.add(function)
    digests = {hashlib.sha256(place.read_bytes()).hexdigest()} if place.is_file() else set()
    for name in function.__code__.co_names:
        called = function.__globals__.get(name)
        digests |= _digests_of_others(called, seen) if isinstance(called, FunctionType) else set()
    return digests


def composition(function: Callable) -> list[str]:
    """Return the names of a function and of everything that it closes over, all the way down."""
    names = [f"{function.__module__}.{function.__qualname__}", *sorted(_digests_of_others(function, set()))]
    for cell in function.__closure__ or ():
        inside = cell.cell_contents
        names += composition(inside) if isinstance(inside, FunctionType) else [repr(inside)]
    return names


def _home_of(function: Callable) -> Path:
    """Folder of one composed kernel.

    Processes that compile at once may give two kernels of a folder the same file, and numba does not notice
    which one it loads.  So kernels of different rules never share a folder.
    """
    digest = hashlib.sha256("\n".join(composition(function)).encode())
    return cache_folder() / digest.hexdigest()[:16]


@contextmanager
def _our_cache(folder: Path):
    """Point numba at our folder while one kernel is decorated, and leave other packages alone.

    The setting is global: threads take turns.
    """
    with _one_at_a_time:
        before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


def kernel(function: Callable) -> Callable:
    """Compile a hot loop: cached on disk, without the GIL, IEEE arithmetic (no fast-math on money).

    ``error_model="numpy"`` drops the zero check of divisions, which would keep loops from vectorising.
    A read-only home falls back to no cache.
    """
    return _compile(function)


def frugal_kernel(function: Callable) -> Callable:
    """Compile a hot loop that allocates nothing, so that arrays need no reference counts.

    Counting is atomic, costs more than the arithmetic of a step, and makes threads wait for each other.
    """
    return _compile(function, _nrt=False)


def _compile(function: Callable, **options: Any) -> Callable:
    options |= {"nogil": True, "error_model": "numpy"}
    if not _is_writable(cache_folder()):
        return numba.njit(**options)(function)
    with _our_cache(_home_of(function)):
        return numba.njit(cache=True, **options)(function)


@cache
def _is_writable(folder: Path) -> bool:
    """Say whether kernels can be kept in our folder; numba would fall back to one that misses edits elsewhere."""
    is_new = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError:
        return False
    with suppress(OSError):
        os.utime(folder)  # reading kernels does not show when they were last used
        if is_new:
            _prune(folder)
    return True


def _prune(folder: Path) -> None:
    """Remove the folders of other sources beside ours that were not used for a month."""
    oldest = time.time() - UNUSED_SECONDS
    for other in folder.parent.iterdir():
        if other != folder and FOLDER.fullmatch(other.name) and other.stat().st_mtime < oldest:
            shutil.rmtree(other, ignore_errors=True)


def _entries(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return None


def _field_type(value: Any) -> Any:
    if _entries(value) is not None:
        return record_dtype(value)
    if isinstance(value, (tuple, list)):
        return (np.float64, (len(value),))
    return np.int64 if isinstance(value, (bool, int)) else np.float64


def record_dtype(value: Any) -> np.dtype:
    """Return the structured type of a nested dataclass or mapping of numbers and sequences of floats.

    Parameters
    ----------
    value : dataclass or mapping
        Leaves are ``bool``/``int`` (64-bit integers), ``float``, or sequences of floats (fixed arrays).

    Returns
    -------
    numpy.dtype
        Same names, same nesting.
    """
    entries = _entries(value)
    if entries is None:
        raise TypeError(f"cannot make a record of {type(value).__name__}")
    return np.dtype([(name, _field_type(entry)) for name, entry in entries.items()])


def _values(value: Any) -> Any:
    entries = _entries(value)
    return value if entries is None else tuple(_values(entry) for entry in entries.values())


def record(value: Any) -> np.ndarray:
    """Copy a nested dataclass or mapping into a structured array of length one (see `record_dtype`)."""
    return np.array([_values(value)], dtype=record_dtype(value))
