from dataclasses import replace

from stress.summary.regimes import headline


def own(level):
    """Return the reserve of the run itself."""
    return 60e6


def test_the_weighting_is_three_quarters_base_and_one_quarter_stressed(risk):
    assert headline(risk, own).weighted == 0.75 * 60e6 + 0.25 * 180e6


def test_the_headline_is_the_weighting_when_stress_is_worse(risk):
    assert headline(risk, own).value == 90e6


def test_the_headline_is_the_base_when_stress_is_milder(risk):
    mild = replace(risk.variants[2], reserve=30e6)
    assert headline(replace(risk, variants=(mild,)), own).value == 60e6


def test_without_a_stressed_regime_there_is_no_headline(risk):
    assert headline(replace(risk, variants=risk.variants[:2]), own) is None


def test_stressed_is_a_value_of_the_axis_regime_only(risk):
    other = replace(risk.variants[2], axis="liquidity")
    assert headline(replace(risk, variants=(other,)), own) is None


def test_the_base_is_the_run_itself_and_not_its_fewer_paths(risk):
    found = headline(risk, lambda level: {risk.level: 70e6}[level])
    assert (found.base, found.weighted) == (70e6, 0.75 * 70e6 + 0.25 * 180e6)


def test_a_refused_reserve_has_no_weighting(risk):
    nothing = {"reserve": None, "low": None, "high": None, "ratio": None}
    refused = replace(risk, variants=(replace(risk.variants[2], **nothing),))
    assert headline(refused, own) is None
    assert headline(risk, lambda level: None) is None


def test_no_model_risk_has_no_headline():
    assert headline(None, own) is None
