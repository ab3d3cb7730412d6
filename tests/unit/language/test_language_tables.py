"""The tables of the language: what they describe is what an expression gives."""

from __future__ import annotations

import inspect
import re
from random import Random

import pytest
from jinja2.filters import FILTERS as JINJA_FILTERS

from planrunner.language.expressions.builtins import filters, names
from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import (
    CALLED,
    FAKES,
    METHODS,
    PROVIDED,
)
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.language.expressions.described import Described
from planrunner.language.expressions.expression import Rand, parse, to_text
from planrunner.language.expressions.operators import BINARY, COMPARE, SYNTAX

# What a step may see after a request; the examples of names speak of it.
SCOPE = {
    "iteration": 12,
    "user": {"id": 3, "class": "Buyer", "iteration": 4},
    "phase": {"name": "peak"},
    "run": {"id": "a1b2c3", "dir": "/runs/1", "seed": 7},
    "services": {"shop": {"port": 8080, "url": "http://127.0.0.1:8080", "dir": "/tmp/shop"}},
    "files": {"orders": {"path": "/tmp/reports/shop/files/orders.csv"}},
    "pool": {"orders": ("o-1", "o-2", "o-3")},
    "status": 200,
    "headers": {"Content-Type": "application/json"},
    "body": '{"items":[{"id":7}]}',
    "json": {"items": [{"id": 7}]},
}

DESCRIBED = [*PROVIDED, *SYNTAX, *CALLED, *FILTERS, *TESTS, *METHODS["rand"]]


def value_of(source: str) -> object:
    scope = {**SCOPE, "rand": Rand(Random(1)), "now": lambda: 1_795_262_400.5}
    return parse(source).lower().evaluate(scope)


@pytest.mark.parametrize("one", DESCRIBED, ids=lambda one: one.form)
def test_an_example_gives_what_the_reference_says(one: Described) -> None:
    """Whatever is drawn has no value to compare, but has one."""
    found = to_text(value_of(one.example))

    assert found == (one.result or found)
    assert found


@pytest.mark.parametrize("one", [*BINARY.values(), *COMPARE.values()], ids=lambda one: one.symbol)
def test_an_operators_example_gives_what_the_reference_says(one: object) -> None:
    """Each operator has an example that uses it."""
    assert to_text(value_of(one.example)) == one.result  # type: ignore[attr-defined]  # of one type
    assert one.symbol in one.example  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("one", FAKES, ids=lambda one: one.name)
def test_a_made_up_value_can_be_drawn(one: Described) -> None:
    """The listed ones are standard providers of the package."""
    assert value_of(one.example)


@pytest.mark.parametrize("one", [*FILTERS, *METHODS["rand"], *CALLED], ids=lambda one: one.form)
def test_an_example_uses_what_it_is_the_example_of(one: Described) -> None:
    """By its name, as a whole word."""
    assert re.search(rf"\b{one.name}\b", one.example)


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)
def test_a_filters_arguments_have_the_names_that_the_reference_says(one: Described) -> None:
    """They may be given by name, so the names must be right."""
    function = filters._OWN.get(one.name) or JINJA_FILTERS[one.name]
    parameters = inspect.signature(function).parameters
    form = re.fullmatch(rf"{one.name}\((.*)\)", one.form)
    if form is None or any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        return
    written = {argument.partition("=")[0].strip() for argument in form[1].split(", ")}

    assert written <= set(parameters)


def test_no_name_stands_in_a_table_twice() -> None:
    """A filter and a test may share a name; two filters may not."""
    for table in (FILTERS, TESTS, (*PROVIDED, *CALLED), METHODS["rand"], FAKES):
        listed = [one.name for one in table]
        assert sorted(set(listed)) == sorted(listed)


def test_the_lists_of_names_come_from_the_tables() -> None:
    """What parses is what is described."""
    assert [one.name for one in FILTERS] == list(names.FILTER_NAMES)
    assert [one.name for one in TESTS] == list(names.TEST_NAMES)
    assert names.ROOT_HELPERS == ("date", "dict", "fake", "now", "rand", "range")
    assert {one.name for one in PROVIDED} < names.RESERVED
