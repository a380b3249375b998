import json

import numpy as np
import pytest

from stress.summary import attached_from_dict, concentration, model_risk_from_dict, parameters_from_dict


def through_json(value):
    return json.loads(json.dumps(value.to_dict()))


def test_model_risk_survives_the_file(risk):
    assert model_risk_from_dict(through_json(risk)) == risk


def test_a_parameter_interval_survives_the_file(interval):
    assert parameters_from_dict(through_json(interval)) == interval


@pytest.mark.parametrize("document", [{}, {"model_risk": None, "parameters": None}])
def test_what_is_absent_or_null_is_nothing(document):
    assert attached_from_dict(document) == {"model_risk": None, "parameters": None, "concentration": None}


def test_all_are_read_from_one_document(risk, interval):
    found = {"model_risk": risk, "parameters": interval, "concentration": concentration(np.array([3.0, 2.0, 1.0]))}
    document = {name: through_json(value) for name, value in found.items()}
    assert attached_from_dict({**document, "seed": 7}) == found


def test_a_refused_variant_is_read(risk):
    values = through_json(risk)
    values["variants"][0] |= {"reserve": None, "low": None, "high": None, "ratio": None}
    assert model_risk_from_dict(values).variants[0].reserve is None


def damage(values, *place, to):
    *inner, last = place
    for key in inner:
        values = values[key]
    values[last] = to


@pytest.mark.parametrize(
    ("place", "to", "message"),
    [
        (("level",), "high", r"model_risk\.level: needs a number, not 'high'"),
        (("level",), True, r"model_risk\.level: needs a number, not True"),
        (("level",), float("nan"), r"model_risk\.level: needs a number, not nan"),
        (("n_paths",), 1.5, r"model_risk\.n_paths: needs a int, not 1\.5"),
        (("base",), 7, r"model_risk\.base: needs the keys axis, high, low, name, ratio, reserve, ruin"),
        (("variants",), {}, r"model_risk\.variants: needs a list"),
        (("variants", 1, "ruin"), None, r"model_risk\.variants\[1\]\.ruin: needs a number, not None"),
    ],
)
def test_damaged_model_risk_is_named(risk, place, to, message):
    values = through_json(risk)
    damage(values, *place, to=to)
    with pytest.raises(ValueError, match=message):
        model_risk_from_dict(values)


def test_damaged_reserves_are_named(interval):
    values = through_json(interval)
    damage(values, "reserves", 0, to=[0.99])
    with pytest.raises(ValueError, match=r"parameters\.reserves\[0\]: needs 2 entries, not 1"):
        parameters_from_dict(values)


@pytest.mark.parametrize("values", [[], "text", {"level": 0.99}])
def test_what_is_no_table_of_model_risk_is_named(values):
    with pytest.raises(ValueError, match="model_risk: needs the keys base, horizon_hours"):
        model_risk_from_dict(values)
