from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from stress.registry import Part, import_siblings


class Shape(Part):
    """Family of shapes."""

    sides: ClassVar[int]
    size: float = Field(gt=0)


class Square(Shape, kind="square"):
    """Four equal sides."""

    sides = 4


class Triangle(Shape, kind="triangle"):
    """Three sides."""

    sides = 3
    angle: float = 60.0


class Colour(Part):
    """Another family."""


def test_a_class_registers_itself_under_its_kind():
    assert Shape.family == {"square": Square, "triangle": Triangle}


def test_families_do_not_mix():
    assert Colour.family == {}


def test_the_kind_chooses_the_class():
    assert isinstance(Shape.choose({"kind": "square", "size": 2.0}), Square)


def test_an_object_knows_its_kind():
    assert (Square(size=1.0).kind, Triangle(size=1.0).kind) == ("square", "triangle")


def test_the_kind_is_written_out_so_that_it_can_be_read_back():
    square = Square(size=2.0)
    assert Shape.choose(square.model_dump()) == square


def test_a_bare_word_is_a_kind():
    with pytest.raises(ValidationError, match="size"):
        Shape.choose("square")  # the right class, which lacks its size


def test_an_object_of_the_family_is_taken_as_it_is():
    square = Square(size=2.0)
    assert Shape.choose(square) is square


def test_an_unknown_kind_names_the_known_ones_and_the_nearest():
    with pytest.raises(ValueError, match=r"unknown kind 'squares', known: square, triangle; did you mean 'square'\?"):
        Shape.choose({"kind": "squares", "size": 1.0})


def test_a_kind_like_no_other_gets_no_suggestion():
    with pytest.raises(ValueError, match=r"known: square, triangle$"):
        Shape.choose({"kind": "xyz"})


@pytest.mark.parametrize("kind", [5, None, ["square"], {"a": 1}])
def test_a_kind_that_is_no_word_is_unknown(kind):
    with pytest.raises(ValueError, match="unknown kind"):
        Shape.choose({"kind": kind, "size": 1.0})


@pytest.mark.parametrize("value", [5, None, ["square"]])
def test_a_part_is_a_table(value):
    with pytest.raises(ValueError, match="expected a table with a 'kind'"):
        Shape.choose(value)


def test_an_unknown_key_is_an_error():
    with pytest.raises(ValidationError, match="angle"):
        Shape.choose({"kind": "square", "size": 1.0, "angle": 30.0})


@pytest.mark.parametrize("size", [float("nan"), float("inf"), 0.0, -1.0, "wide"])
def test_a_number_out_of_range_is_an_error(size):
    with pytest.raises(ValidationError, match="size"):
        Shape.choose({"kind": "square", "size": size})


@pytest.mark.parametrize("size", [True, "2.0"])
def test_neither_a_truth_nor_a_quoted_number_is_a_number(size):
    with pytest.raises(ValidationError, match="size"):
        Shape.choose({"kind": "square", "size": size})


def test_a_whole_number_is_a_number():
    assert Shape.choose({"kind": "square", "size": 2}).size == 2.0


def test_a_part_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Square(size=2.0).size = 3.0


def test_every_module_beside_a_package_is_imported(tmp_path, monkeypatch):
    package = tmp_path / "zoo"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from stress.registry import import_siblings\nanimals = []\nimport_siblings(__name__, __file__)\n"
    )
    for name in ("lion", "ape"):
        (package / f"{name}.py").write_text(f"from zoo import animals\nanimals.append({name!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    import zoo

    assert zoo.animals == ["ape", "lion"]
    assert import_siblings("zoo", str(package / "__init__.py")) is None


def test_a_code_is_the_place_among_the_kinds_of_the_family():
    assert (Square(size=1.0).code, Triangle(size=1.0).code) == (0, 1)


def test_what_the_members_of_a_family_define_comes_in_the_order_of_their_codes():
    assert Shape.rules("sides") == [4, 3]


def circle(module, **settings):
    """Define a circle as a module, or a notebook cell, would."""
    return type(Shape)("Circle", (Shape,), {"__module__": module, "__qualname__": "Circle", **settings}, kind="circle")


@pytest.fixture
def _circles():
    """Let a test define circles."""
    yield
    Shape.family.pop("circle", None)


@pytest.mark.usefixtures("_circles")
def test_a_class_that_is_defined_anew_takes_its_own_place():
    circle("__main__", sides=0)
    circle("__main__", sides=1)
    assert Shape.choose({"kind": "circle", "size": 1.0}).sides == 1


@pytest.mark.usefixtures("_circles")
def test_a_worker_process_may_define_what_its_script_has_defined():
    circle("__main__", sides=0)
    assert circle("__mp_main__", sides=0) is Shape.family["circle"]


@pytest.mark.usefixtures("_circles")
def test_a_kind_cannot_be_taken_from_another_class():
    circle("shapes.round", sides=0)
    with pytest.raises(ValueError, match=r"'circle' is taken by shapes\.round\.Circle: __main__\.Circle needs"):
        circle("__main__", sides=1)
    assert Shape.family["circle"].sides == 0
