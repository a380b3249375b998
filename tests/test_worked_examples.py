"""Every worked example of a formula is a test that says its number, so that `grep worked_example_12` finds it."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__)
NUMBER = re.compile(r"worked[_ ]examples?[_ ](\d+)", re.IGNORECASE)
NAMED = {
    int(number)
    for path in HERE.parent.rglob("test_*.py")
    if path != HERE
    for number in NUMBER.findall(path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("number", range(1, 41))
def test_a_worked_example_is_a_test(number):
    assert number in NAMED
