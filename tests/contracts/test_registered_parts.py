import inspect
from pathlib import Path

import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.registry import Part

FAMILIES = Part.__subclasses__()
PARTS = [
    pytest.param(family, kind, member, id=f"{family.__name__}-{kind}")
    for family in FAMILIES
    if family.__module__.startswith("stress.")
    for kind, member in family.family.items()
]


def test_every_family_has_members():
    known = {family.__name__ for family in FAMILIES if family.family}
    assert known >= {
        "Market",
        "Cohort",
        "FeeModel",
        "ImpactLaw",
        "Disposal",
        "Partial",
        "Layer",
        "Ranking",
        "TransferPrice",
        "LossBasis",
        "Limit",
        "SizeLaw",
        "LeverageLaw",
        "Copula",
        "AgeLaw",
        "MarkRule",
        "Band",
        "Contract",
    }


@pytest.mark.parametrize(("family", "kind", "member"), PARTS)
def test_a_part_says_what_it_is(family, kind, member):
    assert member.__doc__
    assert member.__doc__ != family.__doc__
    assert not member.__doc__.startswith("Usage docs")


@pytest.mark.parametrize(("family", "kind", "member"), PARTS)
def test_a_part_is_known_by_its_kind(family, kind, member):
    assert kind == kind.lower()
    assert family.member(kind) is member
    assert member.model_fields["kind"].default == kind


@pytest.mark.parametrize(("family", "kind", "member"), PARTS)
def test_a_part_survives_being_written_and_read(family, kind, member, example):
    part = example(member)
    assert family.choose(part.model_dump(mode="json", exclude_none=True)) == part


@pytest.mark.parametrize(("family", "kind", "member"), PARTS)
def test_a_part_refuses_an_unknown_key(family, kind, member, example):
    table = example(member).model_dump()
    with pytest.raises(ValueError, match="no_such_key"):
        family.choose({**table, "no_such_key": 1.0})


@pytest.mark.parametrize(("family", "kind", "member"), PARTS)
def test_a_part_lives_in_a_file_beside_its_family(family, kind, member):
    assert Path(inspect.getfile(member)).parent == Path(inspect.getfile(family)).parent
