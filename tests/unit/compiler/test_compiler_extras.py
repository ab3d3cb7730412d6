"""What needs a package that is not installed says so where the plan asks for it."""

from __future__ import annotations

import sys

import pytest

from tests.support.plans import findings

MARKUP = "users: {A: {steps: [{get: /, extract: {x: {%s: '//p'}}}]}}"


@pytest.mark.parametrize(
    ("language", "package", "hint"),
    [
        ("css", "cssselect", "pip install cssselect"),
        ("css", "lxml", "pip install lxml cssselect"),
        ("xpath", "lxml", "pip install lxml cssselect"),
    ],
)
def test_extraction_from_markup(
    monkeypatch: pytest.MonkeyPatch, language: str, package: str, hint: str
) -> None:
    """At the selector."""
    monkeypatch.setitem(sys.modules, package, None)

    [found] = findings(MARKUP % language)

    assert (found.code, found.marked) == ("not-available", "'//p'")
    assert (found.message, found.hint) == (f"`{language}` needs the package {package}", hint)


def test_a_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the proxy."""
    monkeypatch.setitem(sys.modules, "socksio", None)

    [found] = findings('http: {base_url: "http://a.test", proxy: "socks5://localhost:1"}')

    assert (found.code, found.marked) == ("not-available", '"socks5://localhost:1"')
    assert found.message == "a SOCKS proxy needs the package socksio"
