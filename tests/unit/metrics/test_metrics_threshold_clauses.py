"""The forms that the reference lists: each has an example that reads, and none is left out."""

from __future__ import annotations

import pytest

from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds import OnNoData, Operator, describe, parse_threshold
from planrunner.metrics.thresholds.clauses import (
    ABORTS,
    COMBINED_SELECTORS,
    EACH,
    LIMITS,
    MEASURED,
    NO_DATA,
    OPERATORS,
    OTHER_LIMITS,
    PATTERNS,
    SCOPES,
    SELECTORS,
    SHARES,
    WINDOWS,
    ClauseForm,
)
from planrunner.metrics.thresholds.selector import SelectorKind

FORMS = [
    *MEASURED,
    *SELECTORS.values(),
    *COMBINED_SELECTORS,
    *PATTERNS,
    *EACH,
    *SHARES,
    *SCOPES,
    *WINDOWS,
    *LIMITS.values(),
    *OTHER_LIMITS,
    *ABORTS,
]
OF_SCOPES = {SelectorKind.PHASE, SelectorKind.STAGE, SelectorKind.PROFILE}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.example)
def test_an_example_is_a_threshold(form: ClauseForm) -> None:
    """With params filled in; `explain` has words for it."""
    threshold = parse_threshold(form.example.replace("${limit}", "500ms"))

    assert describe(threshold)


def test_every_kind_of_selector_has_a_form() -> None:
    """The example selects by that kind."""
    assert set(SELECTORS) | OF_SCOPES == set(SelectorKind)
    for kind, form in SELECTORS.items():
        assert [term.kind for term in parse_threshold(form.example).terms] == [kind]


def test_every_scope_has_a_form() -> None:
    """Phases, stages and profiles."""
    terms = [term.kind for form in SCOPES for term in parse_threshold(form.example).terms]

    assert set(terms) >= OF_SCOPES


def test_every_unit_operator_and_meaning_of_no_data_has_a_form() -> None:
    """A new member of these enums has to be described."""
    assert list(LIMITS) == list(Unit)
    assert [parse_threshold(form.example).value.unit for form in LIMITS.values()] == list(Unit)
    assert list(OPERATORS) == list(Operator)
    assert list(NO_DATA) == list(OnNoData)
