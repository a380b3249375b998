import math
import tomllib

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from stress.agents import recorded
from stress.agents.leverages import BetaLog, Histogram, LeverageLaw, Lognormal, OfVenue, Popular
from stress.agents.trader import Trader

N = 200_000


def score_of(p):
    return np.array([stats.norm.ppf(p)])


def test_the_log_normal_law_has_the_bits_of_a_median_times_an_exponential():
    score = np.random.default_rng(1).standard_normal(1_000)
    assert (Lognormal(median=8.3, sigma=1.25).of(score) == 8.3 * np.exp(1.25 * score)).all()


def test_the_quantiles_of_the_log_normal_law_by_hand():
    # One standard deviation above a median of 10 with sigma ln 2 is 20; the mean is 10 exp(0.2402) = 12.715.
    law = Lognormal(median=10.0, sigma=math.log(2.0))
    assert law.of(np.array([-1.0, 0.0, 1.0])) == pytest.approx([5.0, 10.0, 20.0])
    assert law.mean == pytest.approx(12.715, abs=1e-3)


def test_the_logarithm_between_the_ends_of_the_beta_law_is_beta(rng):
    law = BetaLog(low=2.0, high=50.0, a=1.5, b=3.0)
    place = np.log(law.of(rng.standard_normal(N)) / 2.0) / math.log(25.0)
    assert stats.kstest(place, stats.beta(1.5, 3.0).cdf).pvalue > 1e-3


def test_the_beta_law_with_a_and_b_one_is_log_uniform():
    # Half of the way from 1 to 100 in logarithms is 10; the mean is 99 / ln 100.
    law = BetaLog(low=1.0, high=100.0, a=1.0, b=1.0)
    assert law.middle == pytest.approx(10.0)
    assert law.mean == pytest.approx(99.0 / math.log(100.0))


def test_the_default_beta_law_is_what_its_comment_says():
    assert BetaLog().middle == pytest.approx(4.6, abs=0.1)
    assert BetaLog().of(score_of(0.9))[0] == pytest.approx(16.8, abs=0.2)


def test_popular_leverages_have_their_weights(rng):
    law = Popular(leverages=(2.0, 10.0, 50.0), weights=(5.0, 3.0, 2.0))
    values, counts = np.unique(law.of(rng.standard_normal(N)), return_counts=True)
    assert values.tolist() == [2.0, 10.0, 50.0]
    assert np.abs(counts / N - [0.5, 0.3, 0.2]).max() < 4 * 0.5 / math.sqrt(N)
    assert law.mean == pytest.approx(0.5 * 2 + 0.3 * 10 + 0.2 * 50)


def test_a_popular_leverage_of_no_weight_is_never_drawn(rng):
    law = Popular(leverages=(1.0, 5.0, 10.0), weights=(0.0, 1.0, 0.0))
    assert np.unique(law.of(rng.standard_normal(1_000))).tolist() == [5.0]


def test_a_histogram_is_log_uniform_inside_a_bin():
    # A quarter lies below 2; half of the bin from 2 to 8 lies below its geometric middle, 4.
    law = Histogram(edges=(1.0, 2.0, 8.0), weights=(0.25, 0.75))
    assert law.of(score_of(0.25))[0] == pytest.approx(2.0)
    assert law.of(score_of(0.625))[0] == pytest.approx(4.0)
    assert law.mean == pytest.approx(0.25 / math.log(2.0) + 0.75 * 6.0 / math.log(4.0))


def test_two_equal_edges_hold_their_share_at_one_leverage():
    law = Histogram(edges=(1.0, 10.0, 10.0, 20.0), weights=(0.3, 0.5, 0.2))
    assert law.of(score_of(0.31))[0] == law.of(score_of(0.79))[0] == pytest.approx(10.0)
    assert law.mean == pytest.approx(0.3 * 9.0 / math.log(10.0) + 0.5 * 10.0 + 0.2 * 10.0 / math.log(2.0))


def test_the_weights_of_a_histogram_need_not_add_up_to_one():
    thin, thick = (Histogram(edges=(1.0, 3.0, 7.0), weights=w) for w in ((0.2, 0.6), (1.0, 3.0)))
    assert thin.of(score_of(0.7)) == pytest.approx(thick.of(score_of(0.7)))


# --- venues


def stated(law, figure):
    """What a law says of a reported figure: "mean", "quantile 0.8", "share below 3"."""
    if figure == "mean":
        return law.mean
    *words, number = figure.split()
    if words == ["quantile"]:
        return float(law.of(score_of(float(number)))[0])
    assert words == ["share", "below"]
    return float(np.mean(law.of(score_of((np.arange(20_000) + 0.5) / 20_000)[0]) < float(number)))


RECORDS = {name: recorded.load(name) for name in recorded.names()}
FIGURES = [(name, figure) for name, record in RECORDS.items() for figure in record["reported"]]


@pytest.mark.parametrize(("name", "figure"), FIGURES)
def test_the_law_of_a_venue_has_the_reported_figures(name, figure):
    assert stated(OfVenue(venue=name), figure) == pytest.approx(RECORDS[name]["reported"][figure], rel=0.06)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_where_it_is_from_and_what_is_ours(name):
    about = RECORDS[name]["about"]
    assert set(about) == {"venue", "as_of", "weighted_by", "sources", "confidence", "ours"}
    assert all(about.values())
    assert (recorded.FOLDER / f"{name}.toml").read_text().startswith("# ")
    assert sum(RECORDS[name]["law"]["weights"]) == pytest.approx(1.0)


def test_a_venue_stays_a_name_in_the_scenario():
    assert OfVenue(venue="ftx_2021").model_dump(exclude_none=True) == {
        "kind": "venue",
        "factor": 1.0,
        "venue": "ftx_2021",
    }


# --- what is refused

BAD = {
    "a median below one": ({"kind": "lognormal", "median": 0.5}, "leverage.median"),
    "a negative spread": ({"kind": "lognormal", "sigma": -1}, "leverage.sigma"),
    "no factor": ({"kind": "lognormal", "factor": 0.0}, "leverage.factor"),
    "ends the wrong way round": ({"kind": "beta_log", "low": 10.0, "high": 5.0}, "low: 10 is not below high 5"),
    "a beta law without shape": ({"kind": "beta_log", "a": 0.0}, "leverage.a"),
    "weights that are not one each": (
        {"kind": "popular", "leverages": [1.0, 5.0], "weights": [1.0]},
        "weights: 1 weights for 2 leverages",
    ),
    "weights of nothing": ({"kind": "popular", "leverages": [5.0], "weights": [0.0]}, "weights: add up to 0"),
    "a negative weight": ({"kind": "popular", "leverages": [5.0], "weights": [-1.0]}, "weights.0"),
    "text for a weight": ({"kind": "popular", "leverages": [5.0], "weights": ["1"]}, "weights.0"),
    "leverages that fall": (
        {"kind": "popular", "leverages": [5.0, 2.0], "weights": [1.0, 1.0]},
        "leverages: 2 follows 5: should not fall",
    ),
    "no edges": ({"kind": "histogram", "weights": [1.0]}, "leverage.edges"),
    "a bin without weight": (
        {"kind": "histogram", "edges": [1.0, 2.0, 3.0], "weights": [1.0]},
        "weights: 1 weights for 2 bins between the edges",
    ),
    "edges that fall": ({"kind": "histogram", "edges": [3.0, 2.0], "weights": [1.0]}, "edges: 2 follows 3"),
    "an edge of zero": ({"kind": "histogram", "edges": [0.0, 2.0], "weights": [1.0]}, "edges.0"),
    "an unknown venue": ({"kind": "venue", "venue": "bitmex_2091"}, "did you mean 'bitmex_2019'?"),
    "an unknown law": ({"kind": "beta"}, "unknown kind 'beta'"),
    "an unknown key": ({"kind": "popular", "leverage": [1.0]}, "leverage.leverage"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_law_without_sense_is_refused(case):
    table, said = BAD[case]
    with pytest.raises(ValidationError) as refused:
        Trader(name="t", count=10, long_share=0.1, short_share=0.1, leverage=table)
    first = refused.value.errors()[0]
    assert said in f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def test_a_law_must_define_its_quantile():
    with pytest.raises(TypeError, match="does not define its quantile"):
        LeverageLaw().of(np.zeros(1))
    with pytest.raises(TypeError, match="does not define its average"):
        _ = LeverageLaw().mean


def test_a_record_is_valid_toml():
    for path in recorded.FOLDER.glob("*.toml"):
        assert set(tomllib.loads(path.read_text())) == {"about", "law", "reported"}
