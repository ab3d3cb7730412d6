from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field

import pytest

from planrunner import values


@values.dataclass(frozen=True, slots=True)
class Ours:
    name: str
    size: int = 1
    tags: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)
    double: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", self.size * 2)


@values.dataclass(frozen=True, slots=True)
class Base:
    first: int


@values.dataclass(frozen=True, slots=True)
class Derived(Base):
    second: int = field(default=2, kw_only=True)

    def __repr__(self) -> str:
        return "its own"


def _standard() -> type[Ours]:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Standard:
        name: str
        size: int = 1
        tags: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)
        double: int = field(init=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "double", self.size * 2)

    Standard.__qualname__ = "Ours"
    return Standard  # type: ignore[return-value]  # alike is what the tests say it is


@pytest.mark.parametrize("make", [Ours, _standard()], ids=["ours", "standard"])
class TestBothDecorators:
    def test_take_values_by_place_and_by_name_and_fill_in_defaults(self, make: type[Ours]) -> None:
        """Every field has what was given, its default, or a new one of the factory."""
        one, other = make("a", tags=["x"], note="n"), make("a")

        assert (one.name, one.size, one.tags, one.note, one.double) == ("a", 1, ["x"], "n", 2)
        assert other.tags == []
        assert other.tags is not make("a").tags

    def test_refuse_wrong_arguments(self, make: type[Ours]) -> None:
        """A missing, unknown or surplus argument is a TypeError that names the class's __init__."""
        for wrong in ((), ("a", 1, [], "", 2)):
            with pytest.raises(TypeError, match=r"__init__\(\)"):
                make(*wrong)
        with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
            make("a", sise=2)  # type: ignore[call-arg]  # the point

    def test_are_equal_when_compared_fields_are(self, make: type[Ours]) -> None:
        """Fields with compare=False don't count, other classes are never equal."""
        assert make("a", note="x") == make("a", note="y")
        assert make("a") != make("b")
        assert make("a") != ("a", 1, [])

    def test_show_fields(self, make: type[Ours]) -> None:
        """The representation has every field but those with repr=False."""
        assert repr(make("a")) == "Ours(name='a', size=1, tags=[], double=2)"

    def test_are_immutable(self, make: type[Ours]) -> None:
        """Neither a field nor a new name can be set or deleted."""
        value = make("a")

        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
            value.name = "b"  # type: ignore[misc]  # the point
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
            del value.name  # type: ignore[misc]  # the point
        assert not hasattr(value, "__dict__")

    def test_can_be_replaced_taken_apart_and_copied(self, make: type[Ours]) -> None:
        """The functions of dataclasses and copy work."""
        value = make("a", 3, ["x"])

        assert dataclasses.replace(value, size=4) == make("a", 4, ["x"])
        assert dataclasses.asdict(value)["tags"] == ["x"]
        assert copy.copy(value) == value
        assert copy.deepcopy(value).tags is not value.tags
        assert make.__match_args__ == ("name", "size", "tags", "note")


def test_values_of_a_worker_survive_pickling() -> None:
    """What crosses a pipe arrives equal, with the fields that comparison leaves out."""
    value = Ours("a", note="n")

    arrived = pickle.loads(pickle.dumps(value))

    assert (arrived, arrived.note, arrived.double) == (value, "n", 2)


def test_equal_values_have_one_hash() -> None:
    """They can be keys; one with an unhashable field can't."""
    assert hash(Derived(1)) == hash(Derived(1))
    assert {Derived(1): "x"}[Derived(1)] == "x"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours("a"))


def test_classes_inherit_fields_and_keep_their_own_methods() -> None:
    """A subclass takes its parent's fields first, and what its body defines stays."""
    value = Derived(1, second=3)

    assert (value.first, value.second, repr(value)) == (1, 3, "its own")
    assert Base(1) != Derived(1)
    with pytest.raises(TypeError):
        Derived(1, 2)  # type: ignore[misc]  # the point


def test_classes_that_change_are_made_here_too() -> None:
    """They can't be keys; with `eq=False` they are themselves alone, and can."""

    @values.dataclass(slots=True)
    class Draft:
        name: str
        rows: list[int] = field(default_factory=list)

    @values.dataclass(slots=True, eq=False)
    class Seat:
        number: int = 0

    made = [Draft("a") for _ in range(5)]  # the last ones by an `__init__` of their own
    made[0].rows.append(1)
    made[4].name = "b"

    assert [one.rows for one in made] == [[1], [], [], [], []]
    assert made[1] == made[2] != made[4]
    assert dataclasses.replace(made[4], rows=[2]) == Draft("b", [2])
    assert repr(made[3]).endswith("Draft(name='a', rows=[])")
    assert not hasattr(made[0], "__dict__")
    with pytest.raises(TypeError, match="unhashable"):
        hash(made[0])
    assert Seat() != Seat()
    assert len({Seat(), Seat()}) == 2


def test_other_options_mean_what_they_mean_elsewhere() -> None:
    """Only classes with slots are made here."""

    @values.dataclass
    class Plain:
        count: int = 0

    value = Plain()
    value.count = 5

    assert value == Plain(5)
