"""What a word is taken for: slips of the keyboard, other spellings, and nothing far-fetched."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner import extras
from planrunner.language.diagnostics import suggest
from planrunner.language.expressions.builtins import fakes
from planrunner.language.expressions.expression import parse
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.steps import StepModel
from planrunner.protocols.http.spec_settings import HttpModel
from tests.support.plans import findings

KEYS = ["until", "every", "body_file", "environments", "hooks", "get", "post", "timeout", "port"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("unitl", "until"),
        ("gte", "get"),
        ("psot", "post"),
        ("timeot", "timeout"),
        ("TIMEOUT", "timeout"),
        ("prot", "port"),
        ("timeouts", "timeout"),
        ("environment", "environments"),
    ],
)
def test_a_slip_is_recognised(word, meant):
    """A letter more, less, changed or swapped; an ending."""
    assert suggest(word, KEYS) == f"did you mean `{meant}`?"


@pytest.mark.parametrize("word", ["count", "on_fail", "engines", "cookies", "level", "zzz"])
def test_another_word_is_not_taken_for_a_slip(word):
    """Letters in common don't make it one."""
    assert suggest(word, KEYS) == ""


@given(st.sampled_from(KEYS), st.data())
def test_one_letter_left_out_of_a_long_key_is_a_slip(key, data):
    """Wherever it is missing."""
    at = data.draw(st.integers(0, len(key) - 1))
    slip = key[:at] + key[at + 1 :]
    if len(key) > 4:
        assert suggest(slip, [key]) == f"did you mean `{key}`?"


@pytest.mark.parametrize(
    ("mapping", "word", "hint"),
    [
        (HttpModel, "baseUrl", "here it is called `base_url`"),
        (HttpModel, "Base-URL", "here it is called `base_url`"),
        (PlanModel, "passFail", "here it is called `thresholds`"),
        (PlanModel, "load_profile", "say how much load in `stages: [{duration: 1m, users: 10}]`"),
        (StepModel, "follow-redirects", "here it is called `follow_redirects`"),
    ],
)
def test_a_word_may_be_spelt_as_its_tool_spells_it(mapping, word, hint):
    """With capitals, hyphens or underscores."""
    assert mapping.hint_unknown(word).startswith(hint)


@pytest.mark.parametrize(
    ("step", "first"),
    [("{get: /, zzz: 1}", "`name`"), ("{group: a, zzz: 1}", "`do`"), ("{zzz: 1}", "`get`")],
)
def test_where_nothing_is_near_the_keys_of_that_step_are_listed(step, first):
    """Those beside its action, or the actions."""
    [found, *_] = findings(f"users: {{A: {{steps: [{step}]}}}}")

    assert found.hint.startswith(f"known keys are {first}")


def test_a_text_with_a_comma_says_that_it_must_be_quoted():
    """In a flow mapping, the comma of a call ends the value."""
    found = findings("users: {A: {tasks: [{get: /, name: rand.int(1, 2)}]}}")

    assert [one.hint for one in found] == [
        "inside `{…}` a comma ends the value before it: put that into quotes"
    ]


def test_a_missing_package_is_one_finding_of_the_whole_plan(monkeypatch):
    """However often the plan uses it."""
    monkeypatch.setitem(sys.modules, "faker", None)
    for cached in (fakes.fake_names, fakes._generator):
        monkeypatch.setattr(fakes, cached.__name__, cached.__wrapped__)
    parse.cache_clear()  # another test may have read the same expressions with the package

    found = findings(
        """
        data: {p: {generate: {rows: 3, fields: {a: fake.name(), b: fake.email()}}}}
        users: {A: {steps: [{get: "/${fake.name()}"}, {get: "/${p.a}/${fake.email()}"}]}}
        """
    )

    assert [one.code for one in found] == ["not-available"]


def test_a_checkout_that_is_not_installed_names_the_packages(monkeypatch):
    """Since pip would look for planrunner elsewhere."""
    assert extras.install_hint("html") == "pip install 'planrunner[html]'"
    monkeypatch.setattr(extras, "_is_found_by_pip", lambda: False)

    assert extras.install_hint("html") == "pip install lxml cssselect"
