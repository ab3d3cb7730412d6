"""What needs a package that is not installed says so where the plan asks for it."""

from __future__ import annotations

import pytest

from planrunner.language.expressions import expression
from planrunner.language.expressions.builtins import fakes
from tests.support.missing import hidden
from tests.support.plans import compiled, findings

MARKUP = "users: {A: {steps: [{get: /, extract: {x: {%s: '//p'}}}]}}"
HINT = "pip install 'planrunner[%s]'"


@pytest.mark.parametrize(
    ("language", "package"), [("css", "cssselect"), ("css", "lxml"), ("xpath", "lxml")]
)
def test_extraction_from_markup(language: str, package: str) -> None:
    """At the selector."""
    with hidden(package):
        [found] = findings(MARKUP % language)

    assert (found.code, found.marked) == ("not-available", "'//p'")
    assert (found.message, found.hint) == (
        f"`{language}` needs the package {package}",
        HINT % "html",
    )


def test_a_socks_proxy() -> None:
    """At the proxy."""
    with hidden("socksio"):
        [found] = findings('http: {base_url: "http://a.test", proxy: "socks5://localhost:1"}')

    assert (found.code, found.marked) == ("not-available", '"socks5://localhost:1"')
    assert (found.message, found.hint) == (
        "a SOCKS proxy needs the package socksio",
        HINT % "socks",
    )


def test_made_up_values() -> None:
    """At the expression."""
    fakes._generator.cache_clear()
    fakes.fake_names.cache_clear()
    expression.parse.cache_clear()  # another test may have parsed the same text

    with hidden("faker"):
        # Parsed expressions are kept, so this one must be like no other test's.
        [found] = findings("users: {A: {steps: [{get: '/${fake.name() | upper | lower}'}]}}")

    assert (found.code, found.hint) == ("not-available", HINT % "data")
    assert found.message == "`fake` needs the package faker"


def test_plans_that_use_none_of_it_miss_nothing() -> None:
    """A base install is enough for them, regular expressions and JSON Schemas included."""
    with hidden("cssselect", "faker", "jsonschema_rs", "lxml", "socksio", "vl_convert"):
        assert compiled("users: {A: {steps: [{get: /, extract: {x: {regex: 'a(.)'}}}]}}").users
