import math

import pytest

from stress.summary import Hindcast, load_hindcasts, shipped_hindcasts

TEXT = """
as_of = "2026-03"
parameters = "Those of the default venue."
[[event]]
name = "BitMEX 2020"
measure = "fund loss / fund"
observed = 0.046
simulated = 0.031
[[event]]
name = "JELLY 2025"
measure = "fund loss / fund"
observed = 0.05
missing = "validators overrule the price"
"""


@pytest.fixture
def load(tmp_path):
    """Load hind-casts from a text."""

    def load(text):
        path = tmp_path / "hindcasts.toml"
        path.write_text(text, encoding="utf-8")
        return load_hindcasts(path)

    return load


def test_events_are_read_in_order(load):
    found = load(TEXT)
    assert (found.as_of, found.parameters) == ("2026-03", "Those of the default venue.")
    assert found.events[0] == Hindcast("BitMEX 2020", "fund loss / fund", 0.046, 0.031)
    assert found.events[1].missing == "validators overrule the price"


@pytest.mark.parametrize(("observed", "simulated"), [(0.1, 0.4), (0.4, 0.1)])
def test_the_factor_is_the_same_above_and_below(observed, simulated):
    assert Hindcast("x", "fund loss / fund", observed, simulated).factor == pytest.approx(4)


def test_a_simulated_gain_misses_by_any_factor():
    assert Hindcast("x", "fund loss / fund", 0.1, -0.01).factor == math.inf


def test_an_event_that_cannot_be_expressed_has_no_factor():
    assert Hindcast("x", "fund loss / fund", 0.1, missing="m").factor is None


def test_without_a_file_there_are_none(tmp_path):
    assert load_hindcasts(tmp_path / "hindcasts.toml") is None


@pytest.mark.parametrize("text", ["", 'as_of = "2026-03"'])
def test_a_file_without_events_has_none(load, text):
    assert load(text) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("simulated = 0.031", "", "event 1: needs either simulated or missing"),
        ("observed = 0.046", "observed = 0", "event 1: observed must be a number above 0, not 0"),
        ("observed = 0.046", 'observed = "big"', "event 1: observed must be a number above 0, not 'big'"),
        ("simulated = 0.031", "simulated = true", "event 1: simulated must be a number, not True"),
        ("fund loss / fund", "loss", "event 1: measure 'loss' is not one of fund loss / liquidated, fund loss / fund"),
        ("observed = 0.05\n", "", "event 2: .*observed"),
        ("missing =", "mising =", "event 2: .*mising"),
        ("as_of =", "as_of", "Expected '='"),
    ],
)
def test_a_damaged_file_is_named(load, old, new, message):
    with pytest.raises(ValueError, match=f"hindcasts.toml: {message}"):
        load(TEXT.replace(old, new))


def test_what_ships_can_be_read():
    found = shipped_hindcasts()
    assert found is None or found.events
