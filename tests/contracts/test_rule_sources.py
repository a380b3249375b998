"""Reads the source of every rule: what CPython and LLVM round differently may not stand in one."""

import ast
from pathlib import Path

import stress

PACKAGE = Path(stress.__file__).parent
DECORATORS = {"rule", "inline", "kernel", "frugal_kernel"}
# Measured to differ between NumPy, CPython and LLVM in the last bit; `math.exp/log/sqrt` never did.
TRANSCENDENTAL = {
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "power", "float_power", "sqrt", "cbrt"),
    *("sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "arcsin", "arccos", "sum", "dot", "mean"),
}


def name_of(node):
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def decorated(tree, names):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(name_of(entry) in names for entry in node.decorator_list):
            yield node


def functions(names):
    """Yield (where, function) of everything under one of these decorators, nested or not."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in decorated(ast.parse(path.read_text()), names):
            yield f"{path.relative_to(PACKAGE).as_posix()}:{function.name}", function


RULES = dict(functions({"rule"}))
# With what melts into loops.  `randomness` and `markets` draw once for all engines, in kernels: no rules.  Claims
# have one engine alone, which draws as it goes.
DRAWING = ("randomness", "markets", "claims/simulate")
ARITHMETIC = {where: function for where, function in functions(DECORATORS) if not where.startswith(DRAWING)}


def called(function):
    """Return the names that a function calls, `np.x` as "np.x"."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            owner = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            names.add(f"{owner}.{name_of(node.func)}" if owner else name_of(node.func))
    return names


def holding(kinds, among=ARITHMETIC):
    """Return where a rule holds a syntax node of these kinds."""
    return [where for where, rule in among.items() if any(isinstance(node, kinds) for node in ast.walk(rule))]


def calling(names, among=ARITHMETIC):
    """Return where a rule calls one of these names."""
    return [where for where, rule in among.items() if called(rule) & names]


def test_plain_and_composed_rules_are_found():
    names = {where.split(":")[1] for where in RULES}
    assert names >= {"is_breached", "settle", "square_root_impact", "fill_price", "adl_absorbs", "absorb"}


def test_no_rule_has_a_power_operator():
    # x**3 differs between CPython and LLVM in a quarter of cases.
    assert holding(ast.Pow) == []


def test_no_rule_calls_a_transcendental_or_summing_function_of_numpy():
    assert calling({f"{owner}.{name}" for owner in ("np", "numpy") for name in TRANSCENDENTAL}) == []


def test_no_rule_calls_the_builtin_sum_or_pow():
    # CPython's sum compensates rounding since 3.12; a compiled one does not.
    assert calling({"sum", "pow", "math.pow", "math.fsum"}) == []


def test_no_rule_draws_a_random_number():
    assert calling({"uniform_pair", "fill_normals", "fill_uniforms", "philox", "random.random", "np.random"}) == []


def test_no_rule_raises_or_catches():
    assert holding((ast.Raise, ast.Try, ast.Assert), RULES) == []


def test_no_kernel_is_compiled_with_fast_math():
    assert [path.name for path in PACKAGE.rglob("*.py") if "fastmath=" in path.read_text()] == []


def test_the_reader_sees_what_is_forbidden():
    source = "@rule\ndef f(x):\n    def g(y):\n        return np.exp(y) ** sum(y)\n    return g(x)\n"
    bad = {"here": next(decorated(ast.parse(source), {"rule"}))}
    assert holding(ast.Pow, bad) == calling({"np.exp"}, bad) == calling({"sum"}, bad) == ["here"]
