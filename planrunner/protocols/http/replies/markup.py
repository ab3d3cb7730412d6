"""CSS and XPath over HTML and XML bodies; lxml is imported only by plans that use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Final

from planrunner.extras import need
from planrunner.language.expressions.values import EvaluationError
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Reply
from planrunner.protocols.http.replies.xpath import MarkupError, check_xpath, prefixes_in
from planrunner.protocols.received import read_text
from planrunner.protocols.rules import shorten

__all__ = ["MarkupError", "compile_markup"]

_ENDING: Final = late_pattern(
    r"(?P<css>.*?)::(?:(?P<text>text)|attr\((?P<attr>[\w:.-]+)\))\s*", re.DOTALL
)


_KEPT: Final = 100
"""Compiled forms of one expression, by what the prefixes of replies stand for."""


def compile_markup(language: str, source: str) -> Callable[[Reply], list[Any]]:
    """Compile a `css` or `xpath` selector; elements give their text, attributes their value.

    Raises:
        MarkupError: The selector is wrong.
        PackageMissing: lxml or cssselect is not installed.
    """
    need("lxml", f"`{language}`")
    from lxml import etree  # noqa: PLC0415 - 20 ms that other plans need not pay

    expression = _css_to_xpath(source) if language == "css" else source
    check_xpath(expression, shorten(source, 60))
    prefixes = prefixes_in(expression)
    try:
        # Of any prefix, as those of the reply are known when it is there.
        select = etree.XPath(
            expression,
            namespaces=dict.fromkeys(prefixes, "urn:any"),
            smart_strings=False,
        )
        select(etree.Element("html"))  # some faults show only here, such as too deep a nesting
    except (etree.XPathError, ValueError) as failed:  # ValueError: control characters
        what = "a CSS selector" if language == "css" else "an XPath"
        raise MarkupError(f"`{shorten(source, 60)}` is not {what}: {failed}") from failed
    select_by = _SelectByPrefix(expression, prefixes) if prefixes else None

    def find(reply: Reply) -> list[Any]:
        tree = reply.parsed(_read_tree)
        if tree is None:
            return []
        try:
            found = select(tree) if select_by is None else select_by(tree)
        except etree.XPathError as failed:
            raise EvaluationError(f"`{shorten(source, 60)}` can't be looked for here") from failed
        if isinstance(found, list):
            return [_value(item) for item in found]
        return [] if found is None or found == "" else _number(found)

    return find


class _SelectByPrefix:
    """An XPath with prefixes, which mean what the root of each reply says."""

    def __init__(self, expression: str, prefixes: frozenset[str]) -> None:
        self._expression = expression
        self._prefixes = prefixes
        self._compiled: dict[tuple[tuple[str, str], ...], Any] = {}

    def __call__(self, tree: Any) -> Any:  # noqa: ANN401 - lxml's element, and what it finds
        """Return what is found; nothing if the reply has no such prefix."""
        from lxml import etree  # noqa: PLC0415 - most plans never need it

        known = tree.nsmap
        if not all(known.get(prefix) for prefix in self._prefixes):
            return []
        key = tuple(sorted((prefix, known[prefix]) for prefix in self._prefixes))
        select = self._compiled.get(key)
        if select is None:
            if len(self._compiled) >= _KEPT:
                self._compiled.clear()
            select = etree.XPath(self._expression, namespaces=dict(key), smart_strings=False)
            self._compiled[key] = select
        return select(tree)


def _number(found: Any) -> list[Any]:  # noqa: ANN401 - a number, truth or text
    """Give whole numbers no point: `count(//id)` is 2, which is sent as such."""
    if not isinstance(found, float):
        return [found]
    if not isfinite(found):
        return []
    return [int(found) if found.is_integer() else found]


def _value(item: Any) -> str:  # noqa: ANN401 - a node, or the text of an attribute
    if isinstance(item, str):
        return item
    if isinstance(item, tuple):  # of the axis `namespace`: prefix and name
        return str(item[1])
    if not isinstance(item.tag, str):  # a comment, an instruction, an entity
        return str(item.text or "").strip()
    return "".join(map(str, item.itertext())).strip()


def _css_to_xpath(source: str) -> str:
    need("cssselect", "`css`")
    import cssselect  # noqa: PLC0415 - likewise

    ending = _ENDING.fullmatch(source)
    try:
        selector = ending["css"] if ending else source
        expression = cssselect.HTMLTranslator().css_to_xpath(selector)
        if prefixes_in(expression):  # of XML, whose names keep their capitals
            expression = cssselect.GenericTranslator().css_to_xpath(selector)
    except RecursionError as failed:
        message = f"`{shorten(source, 60)}` is nested too deeply"
        raise MarkupError(message, hint="write a shorter selector") from failed
    except cssselect.SelectorError as failed:
        raise MarkupError(
            f"`{shorten(source, 60)}` is not a CSS selector: {failed}",
            hint="write one such as `form input[name=csrf]::attr(value)`",
        ) from failed
    if ending is None:
        return expression
    return f"({expression})/" + ("text()" if ending["text"] else f"@{ending['attr']}")


def _read_tree(reply: Reply) -> Any:  # noqa: ANN401 - lxml's element, None for an empty body
    """Parse HTML as browsers do, and XML when the body says that it is; entities stay closed."""
    from lxml import etree, html  # noqa: PLC0415

    text = reply.parsed(read_text).lstrip("\ufeff \t\r\n")
    try:
        if text.startswith("<?xml"):
            if "<html" not in text[:2000].lower():
                parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
                return etree.fromstring(reply.body or b"", parser)
            # XHTML reads as HTML, or its namespace would hide every element from a selector.
            text = text.partition("?>")[2]
        return html.document_fromstring(text) if text.strip() else None
    except (etree.LxmlError, ValueError):
        return None
