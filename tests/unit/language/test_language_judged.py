"""What is read quickly is what pydantic makes of it; pydantic alone says what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.fields.declared import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
)
from planrunner.language.fields.mapping import PlanMapping, invalid
from planrunner.language.fields.reading import Unsure
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.yaml.document import parse

_ROOT = Path(__file__).parents[3]


@cache
def _plans() -> list[Any]:
    """Return what YAML makes of the plans that come with planrunner."""
    return [
        parse(path.read_text(), path.name).data
        for folder in ("plans", "planrunner/plan/templates", "benchmarks/plans")
        for path in sorted((_ROOT / folder).glob("*.yaml"))
        if path.name != "planrunner.yaml"
    ]


def _below(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _below(value, (*path, key))


def _places() -> st.SearchStrategy[tuple[int, tuple[Any, ...]]]:
    places = [(at, path) for at, plan in enumerate(_plans()) for path in _below(plan)]
    return st.sampled_from(places)


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-2, 2),
    st.sampled_from(
        ["", "1s", "2..3", "10/s", "${x}", "${x + }", "5%", "none", "iteration", "a b", "p95 < 1s"]
    ),
    st.sampled_from([[], {}, [1], ["a"], {"a": 1}, [{}], [None], {"get": "/"}, [{"get": "/"}]]),
)


def _judged(mapping: type[PlanMapping], data: object) -> PlanMapping | None:
    """Return what pydantic makes of a plan, with nothing read quickly in it."""

    def refuse(_cls: object, _data: object) -> object:
        raise Unsure

    with pytest.MonkeyPatch().context() as patched:
        patched.setattr(PlanMapping, "read_quickly", classmethod(refuse))
        try:
            return mapping.model_validate(data)
        except invalid():
            return None


def _quickly(mapping: type[PlanMapping], data: object) -> PlanMapping | None:
    try:
        return mapping.read_quickly(data)
    except ValueError:
        return None


@pytest.mark.slow
def test_plans_that_are_right_are_read_as_pydantic_reads_them() -> None:
    """Each of them is, so that what validates it is never imported."""
    for plan in _plans():
        quick, judged = _quickly(PlanModel, plan), _judged(PlanModel, plan)

        assert quick is not None
        assert quick == judged
        assert repr(quick) == repr(judged)


@pytest.mark.slow
@given(place=st.deferred(_places), value=_VALUES)
def test_nothing_is_read_quickly_that_pydantic_refuses(
    place: tuple[int, tuple[Any, ...]], value: object
) -> None:
    """Or reads otherwise, whatever stands anywhere in a plan."""
    at, path = place
    data = copy.deepcopy(_plans()[at])
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value

    quick = _quickly(PlanModel, data)

    assert quick is None or repr(quick) == repr(_judged(PlanModel, data))


def _shape(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<word>"


def _length(value: object) -> int:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return len(value)


class Crate(PlanMapping):
    word: Literal["a", "b", 1] | None = None
    text: Annotated[str, Field(min_length=1, pattern="x$")] | None = None
    many: list[int] | None = Field(None, min_length=2)
    either: bool | list[str] | None = None
    both: Annotated[
        Annotated[list[int], Tag("<list>")] | Annotated[Literal["none"], Tag("<word>")],
        Discriminator(_shape),
    ] = "none"
    sure: Annotated[int, AfterValidator(abs), BeforeValidator(_length)] = 0
    inner: dict[str, Crate] | None = None
    theirs: int = pydantic.Field(3, ge=3, alias="of-theirs")


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(["word", "text", "many", "either", "both", "sure", "of-theirs"]),
        st.one_of(
            st.sampled_from(["a", 1, True, 1.0, "x", "y", "none", None, 3, "xx"]),
            st.lists(st.sampled_from([1, 2, "a", True]), max_size=3),
        ),
    )
)
def test_each_kind_of_type_is_read_as_pydantic_reads_it(data: dict[str, object]) -> None:
    """Strictly: no number is a text, no flag a number."""
    whole = {**data, "inner": {"one": data}}

    quick = _quickly(Crate, whole)

    assert quick is None or repr(quick) == repr(_judged(Crate, whole))


def test_a_field_of_pydantics_own_is_left_to_it() -> None:
    """Other packages may have declared theirs with it; what it says is kept."""
    theirs = Crate.model_fields["theirs"]

    assert (theirs.alias, theirs.is_required(), theirs.absent()) == ("of-theirs", False, 3)
    assert _quickly(Crate, {"of-theirs": 4}) is None
    assert Crate.model_validate({"of-theirs": 4}).theirs == 4
    assert _judged(Crate, {"of-theirs": 2}) is None
