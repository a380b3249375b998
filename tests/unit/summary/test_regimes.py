from dataclasses import replace

import pytest

from stress.summary.regimes import headline


def test_the_weighting_is_three_quarters_base_and_one_quarter_stressed(risk):
    assert headline(risk).weighted == 0.75 * 60e6 + 0.25 * 180e6


def test_the_headline_is_the_weighting_when_stress_is_worse(risk):
    assert headline(risk).value == 90e6


def test_the_headline_is_the_base_when_stress_is_milder(risk):
    mild = replace(risk.variants[2], reserve=30e6)
    assert headline(replace(risk, variants=(mild,))).value == 60e6


def test_without_a_stressed_regime_there_is_no_headline(risk):
    assert headline(replace(risk, variants=risk.variants[:2])) is None


def test_stressed_is_a_value_of_the_axis_regime_only(risk):
    other = replace(risk.variants[2], axis="liquidity")
    assert headline(replace(risk, variants=(other,))) is None


@pytest.mark.parametrize("refused", ["base", "stressed"])
def test_a_refused_reserve_has_no_weighting(risk, refused):
    base, stressed = risk.base, risk.variants[2]
    nothing = {"reserve": None, "low": None, "high": None, "ratio": None}
    changed = (
        replace(risk, base=replace(base, **nothing))
        if refused == "base"
        else replace(risk, variants=(replace(stressed, **nothing),))
    )
    assert headline(changed) is None


def test_no_model_risk_has_no_headline():
    assert headline(None) is None
